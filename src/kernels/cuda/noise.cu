// SPDX-License-Identifier: MIT
// cuRAND's Philox 4x32-10. src/kernels/cpu/noise.cpp draws the same numbers (to the rounding of log, sin and
// cos).
#include "kernels/cuda/noise.h"

#include <curand_kernel.h>

#include <algorithm>

#include "kernels/cuda/launch.cuh"

namespace ebm::cuda {

namespace {

constexpr int block_threads = 256;

/// Thread i draws numbers 4i .. 4i + 3: each four are one Philox block, so no thread skips ahead.
template <Distribution distribution>
__global__ void __launch_bounds__(block_threads) noise_kernel(const Noise noise, float* out, int64_t size) {
  wait_for_previous_kernel();
  const uint64_t subsequence = static_cast<uint64_t>(noise.stream) << 48 | *noise.iteration;
  const int64_t step = int64_t{4} * gridDim.x * block_threads;
  for (int64_t i = 4 * (int64_t{blockIdx.x} * block_threads + threadIdx.x); i < size; i += step) {
    curandStatePhilox4_32_10_t state;
    curand_init(noise.seed, subsequence, static_cast<unsigned long long>(noise.first + i), &state);
    const float4 four =
        distribution == Distribution::normal ? curand_normal4(&state) : curand_uniform4(&state);
    out[i] = four.x;
    if (i + 1 < size) out[i + 1] = four.y;
    if (i + 2 < size) out[i + 2] = four.z;
    if (i + 3 < size) out[i + 3] = four.w;
  }
}

}  // namespace

void fill_noise(const Context& context, const Noise& noise, View out) {
  if (noise.first % 4 != 0 || noise.stream >= 1u << 16) {
    throw Error("noise needs first % 4 == 0 and stream < 65536, not first " + std::to_string(noise.first) +
                ", stream " + std::to_string(noise.stream));
  }
  if (out.size() == 0) return;
  const int64_t blocks = divide_up(out.size(), 4 * block_threads);
  const dim3 grid(static_cast<unsigned>(std::min<int64_t>(blocks, max_blocks)));
  if (noise.distribution == Distribution::normal) {
    launch(context, grid, block_threads, "noise", noise_kernel<Distribution::normal>, noise, out.data,
           out.size());
  } else {
    launch(context, grid, block_threads, "noise", noise_kernel<Distribution::uniform>, noise, out.data,
           out.size());
  }
}

}  // namespace ebm::cuda
