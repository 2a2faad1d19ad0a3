// SPDX-License-Identifier: MIT
// Philox 4x32-10 from Random123, turned into numbers exactly as cuRAND's curand_normal4 and curand_uniform4
// do, so that both devices draw the same noise (to the rounding of log, sin and cos).
#include "kernels/cpu/noise.h"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/parts.h"

namespace ebm::cpu {

namespace {

constexpr float two_to_minus_32 = 2.3283064e-10f;
constexpr float two_pi = 6.2831855f;

float unit(uint32_t bits) {
  return static_cast<float>(bits) * two_to_minus_32 + two_to_minus_32 / 2;
}

/// Box-Muller: (r sin, r cos) with r = sqrt(-2 ln u), angle = 2 pi v.
void normal_pair(uint32_t first, uint32_t second, float* out) {
  const float radius = std::sqrt(-2.0f * std::log(unit(first)));
  const float angle = static_cast<float>(second) * (two_to_minus_32 * two_pi) + two_to_minus_32 * two_pi / 2;
  out[0] = radius * std::sin(angle);
  out[1] = radius * std::cos(angle);
}

}  // namespace

void fill_noise(Threads& threads, const Noise& noise, View out) {
  if (noise.first % 4 != 0 || noise.stream >= 1u << 16) {
    throw Error("noise needs first % 4 == 0 and stream < 65536, not first " + std::to_string(noise.first) +
                ", stream " + std::to_string(noise.stream));
  }
  threads.wait();  // for *noise.iteration
  const uint64_t subsequence = static_cast<uint64_t>(noise.stream) << 48 | *noise.iteration;
  const r123::Philox4x32::key_type key{
      {static_cast<uint32_t>(noise.seed), static_cast<uint32_t>(noise.seed >> 32)}};
  const int64_t size = out.size();
  const auto block = [&](int64_t at) {
    const uint64_t index = static_cast<uint64_t>(noise.first / 4 + at);
    const r123::Philox4x32::ctr_type counter{
        {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(subsequence),
         static_cast<uint32_t>(subsequence >> 32)}};
    const auto bits = r123::Philox4x32()(counter, key);
    float numbers[4];
    if (noise.distribution == Distribution::normal) {
      normal_pair(bits[0], bits[1], numbers);
      normal_pair(bits[2], bits[3], numbers + 2);
    } else {
      for (size_t k = 0; k < 4; ++k) numbers[k] = unit(bits[k]);
    }
    std::copy_n(numbers, std::min<int64_t>(4, size - 4 * at), out.data + 4 * at);
  };
  const int64_t blocks = (size + 3) / 4;
  constexpr int64_t work = 200;  // of a block, in elements of a simple formula
  const Parts parts = cut(blocks, work * blocks);
  threads.run(parts.count, [&](int64_t i) {
    for (int64_t at = parts[i].first; at < parts[i].last; ++at) block(at);
  });
}

}  // namespace ebm::cpu
