// SPDX-License-Identifier: MIT
// Products of float32 on tensor cores that read TF32 (10 bits behind the point), as exact as float32's own: each factor
// is two TF32 numbers, and a sum's products of these are added in stages,
//   x = big + small,   sum a b  ~  sum (a_small b_big + a_big b_small + a_big b_big),
// since a tensor core's accumulator drops what lies below its 24 bits: after `depth` products the stage goes to a
// float32 sum that rounds. So CUTLASS does it (OpMultiplyAddFastF32: gemm/warp/mma_tensor_op_fast_f32.h; the splitting:
// Markidis et al. 2018, "NVIDIA Tensor Core Programmability"; the stages: Ootomo and Yokota 2022, "Recovering single
// precision accuracy from Tensor Cores"), whose rounding this is, bit by bit but for the order within eight products.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace ebm {

/// x to within 2^-22 of its size; an infinity or NaN gives a NaN.
struct SplitTf32 {
  float big, small;
};

inline SplitTf32 split_tf32(float x) {
  constexpr uint32_t kept = 0xFFFFE000, half = 0x1000;
  const auto cut = [](uint32_t bits) { return std::bit_cast<float>(bits & kept); };
  const float big = cut(std::bit_cast<uint32_t>(x));
  const float rest = x - big;
  return {big, std::isfinite(rest) ? cut(std::bit_cast<uint32_t>(rest) + half) : rest};
}

/// x as float32, what lies below its last bit dropped.
inline float truncated(double x) {
  const auto nearest = static_cast<float>(x);
  const bool beyond = std::abs(double{nearest}) > std::abs(x);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(nearest) - (beyond ? 1u : 0u));
}

/// n sums side by side, sums[j] = sum over k < inner of a[k] b[k n + j], both factors split.
struct SplitFactors {
  const float *a_big, *a_small;
  const double *b_big, *b_small;  // TF32 numbers
};
template <int n>
void add_in_stages(const SplitFactors& f, int64_t inner, int64_t depth, float* sums) {
  constexpr int64_t instruction = 8;  // products that a tensor core adds at once
  float stage[n] = {};
  const auto add = [&](const float* a, const double* b, int64_t first, int64_t last) {
    double exact[n];
    for (int j = 0; j < n; ++j) exact[j] = double{stage[j]};
    for (int64_t k = first; k < last; ++k) {
      const double factor{a[k]};
      for (int j = 0; j < n; ++j) exact[j] += factor * b[k * n + j];
    }
    for (int j = 0; j < n; ++j) stage[j] = truncated(exact[j]);
  };
  for (int j = 0; j < n; ++j) sums[j] = 0;
  for (int64_t k = 0; k < inner; k += instruction) {
    const int64_t end = std::min(k + instruction, inner);
    add(f.a_small, f.b_big, k, end);
    add(f.a_big, f.b_small, k, end);
    add(f.a_big, f.b_big, k, end);
    if (end % depth != 0 && end != inner) continue;
    for (int j = 0; j < n; ++j) {
      sums[j] += stage[j];
      stage[j] = 0;
    }
  }
}

}  // namespace ebm
