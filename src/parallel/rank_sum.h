// SPDX-License-Identifier: MIT
// The sum of an array over ranks, of numbers of type T as they travel, r(x) being x rounded to T:
//   sum_i = r( sum over ranks q of r(x_qi) ),   in the order of the ranks, in float64, which is then rounded to float32
// T = float: r(x) = x, and sum_i is the float64 sum rounded once.
// T = bfloat16: |r(x) - x| <= u |x| with u = 2^-8, so that
//   |sum_i - sum_q x_qi| <= (2 u + u^2) sum_q |x_qi|   (and 2^-24 of it for float32; below 2^-126 numbers round to
// multiples of 2^-133). A sum that cancels is as exact as the ranks' own numbers. The same bits on any machine.
// Between GPUs NCCL sums float32, in an order of its own; bfloat16 as kernels/cuda/nccl/rounded_sum.h says.
#pragma once

#include "kernels/formulas/rounding.h"

namespace ebm {

/// travelling[i] = values[i] rounded.
template <class T>
void round_for_ranks(const float* values, int64_t count, T* travelling) {
  for (int64_t i = 0; i < count; ++i) travelling[i] = rounded<T>(values[i]);
}

template <class T>
void expand_from_ranks(const T* travelled, int64_t count, float* values) {
  for (int64_t i = 0; i < count; ++i) values[i] = expanded(travelled[i]);
}

/// sum[i] = the sum over ranks of blocks[rank * step + i].
template <class T>
void sum_over_ranks(const T* blocks, int64_t ranks, int64_t step, int64_t count, T* sum) {
  for (int64_t i = 0; i < count; ++i) {
    double total = 0;
    for (int64_t rank = 0; rank < ranks; ++rank)
      total += static_cast<double>(expanded(blocks[rank * step + i]));
    sum[i] = rounded<T>(static_cast<float>(total));
  }
}

}  // namespace ebm
