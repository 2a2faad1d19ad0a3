// SPDX-License-Identifier: MIT
// Philox 4x32-10 from Random123, turned into numbers exactly as cuRAND's curand_normal4 and curand_uniform4
// do, so that both devices draw the same noise (to the rounding of log, sin and cos).
#include "kernels/cpu/noise.h"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/parts.h"

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
// glibc has these for vectors too (libmvec), which its headers say only with -ffast-math.
extern "C" {
__attribute__((__simd__("notinbranch"))) float logf(float) noexcept;
__attribute__((__simd__("notinbranch"))) float sinf(float) noexcept;
__attribute__((__simd__("notinbranch"))) float cosf(float) noexcept;
}
#endif

namespace ebm::cpu {

namespace {

constexpr float two_to_minus_32 = 2.3283064e-10f;
constexpr float two_pi = 6.2831855f;

float unit(uint32_t bits) {
  return static_cast<float>(bits) * two_to_minus_32 + two_to_minus_32 / 2;
}

/// Blocks of four numbers that are computed at once. Always so many, since a block's bits must not depend on
/// those around it, and a vector's logarithm may round otherwise than a number's.
constexpr int64_t at_once = 16;

/// Box-Muller: pairs (r sin, r cos) with r = sqrt(-2 ln u), angle = 2 pi v. In three loops, since g++ takes a
/// sine and a cosine of one angle together, which it has no vectors for.
void normals(const uint32_t (&bits)[4 * at_once], float (&out)[4 * at_once]) {
  constexpr int64_t pairs = 2 * at_once;
  float radius[pairs], angle[pairs], sine[pairs];
#pragma omp simd
  for (int64_t i = 0; i < pairs; ++i) {
    radius[i] = std::sqrt(-2.0f * logf(unit(bits[2 * i])));
    angle[i] =
        static_cast<float>(bits[2 * i + 1]) * (two_to_minus_32 * two_pi) + two_to_minus_32 * two_pi / 2;
  }
#pragma omp simd
  for (int64_t i = 0; i < pairs; ++i) sine[i] = sinf(angle[i]);
#pragma omp simd
  for (int64_t i = 0; i < pairs; ++i) {
    out[2 * i] = radius[i] * sine[i];
    out[2 * i + 1] = radius[i] * cosf(angle[i]);
  }
}

/// Blocks index .. index + at_once of a noise.
void draw(const Noise& noise, uint64_t subsequence, uint64_t index, float (&numbers)[4 * at_once]) {
  const r123::Philox4x32::key_type key{
      {static_cast<uint32_t>(noise.seed), static_cast<uint32_t>(noise.seed >> 32)}};
  uint32_t bits[4 * at_once];
#pragma GCC ivdep  // NOLINT(clang-diagnostic-unknown-pragmas): omp simd would keep the counters in memory
  for (int64_t i = 0; i < at_once; ++i) {
    const uint64_t at = index + static_cast<uint64_t>(i);
    const r123::Philox4x32::ctr_type counter{{static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32),
                                              static_cast<uint32_t>(subsequence),
                                              static_cast<uint32_t>(subsequence >> 32)}};
    const auto block = r123::Philox4x32()(counter, key);
    for (size_t k = 0; k < 4; ++k) bits[4 * i + static_cast<int64_t>(k)] = block[k];
  }
  if (noise.distribution == Distribution::normal) {
    normals(bits, numbers);
  } else {
    for (int64_t i = 0; i < 4 * at_once; ++i) numbers[i] = unit(bits[i]);
  }
}

}  // namespace

void fill_noise(Threads& threads, const Noise& noise, View out) {
  if (noise.first % 4 != 0 || noise.stream >= 1u << 16) {
    throw Error("noise needs first % 4 == 0 and stream < 65536, not first " + std::to_string(noise.first) +
                ", stream " + std::to_string(noise.stream));
  }
  threads.wait();  // for *noise.iteration
  const uint64_t subsequence = static_cast<uint64_t>(noise.stream) << 48 | *noise.iteration;
  constexpr int64_t length = 4 * at_once;
  const int64_t pieces = (out.size() + length - 1) / length;
  constexpr int64_t work = 40;  // of a block, in elements of a simple formula
  const Parts parts = cut(pieces, work * at_once * pieces);
  threads.run(parts.count, [&](int64_t part) {
    for (int64_t piece = parts[part].first; piece < parts[part].last; ++piece) {
      float numbers[length];
      draw(noise, subsequence, static_cast<uint64_t>(noise.first / 4 + piece * at_once), numbers);
      std::copy_n(numbers, std::min(length, out.size() - length * piece), out.data + length * piece);
    }
  });
}

}  // namespace ebm::cpu
