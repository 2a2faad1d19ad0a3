// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "core/error.h"
#include "kernels/cpu/parts.h"
#include "kernels/kernels.h"

namespace ebm::cpu {

/// The numbers of an array of float32. Throws Error on another type.
inline const float* floats(ConstArray x) {
  if (x.type != Type::float32) throw Error("an array of bfloat16 where float32 was expected");
  return static_cast<const float*>(x.address);
}
inline float* floats(Array x) {
  return const_cast<float*>(floats(ConstArray(x)));
}

/// A product of float32 or a part of one: a Gemm whose matrices may lie in wider ones. Strides lead from row
/// to row in memory.
struct Block {
  int64_t m, n, inner;
  const float* a;
  Transpose transpose_a;
  const float* b;
  Transpose transpose_b;
  float* c;
  float alpha, beta;
  const float* bias = nullptr;  // n numbers for the first bias_rows rows, and the slope of their activation
  int64_t bias_rows = 0;
  float slope = 1;
  int64_t stride_a, stride_b, stride_c;

  explicit Block(const Gemm& g)
      : m(g.m),
        n(g.n),
        inner(g.inner),
        a(floats(g.a)),
        transpose_a(g.transpose_a),
        b(floats(g.b)),
        transpose_b(g.transpose_b),
        c(floats(g.c)),
        alpha(g.alpha),
        beta(g.beta),
        stride_a(g.transpose_a == Transpose::no ? g.inner : g.m),
        stride_b(g.transpose_b == Transpose::no ? g.n : g.inner),
        stride_c(g.n) {}

  /// With bias and activation, as AddBias adds them to c.
  Block(const Gemm& g, const AddBias& then) : Block(g) {
    bias = then.bias;
    bias_rows = then.rows;
    slope = then.slope;
  }

  Block rows(Slice range) const {
    Block part = *this;
    part.m = range.size();
    part.bias_rows = std::clamp<int64_t>(bias_rows - range.first, 0, part.m);
    part.a += range.first * (transpose_a == Transpose::no ? stride_a : 1);
    part.c += range.first * stride_c;
    return part;
  }
  Block columns(Slice range) const {
    Block part = *this;
    part.n = range.size();
    if (bias != nullptr) part.bias += range.first;
    part.b += range.first * (transpose_b == Transpose::no ? 1 : stride_b);
    part.c += range.first;
    return part;
  }
  /// A part of the sum, alone, into a dense matrix of its own.
  Block summands(Slice range, float* partial) const {
    Block part = *this;
    part.inner = range.size();
    part.a += range.first * (transpose_a == Transpose::no ? 1 : stride_a);
    part.b += range.first * (transpose_b == Transpose::no ? stride_b : 1);
    part.c = partial;
    part.stride_c = n;
    part.beta = 0;
    return part;
  }
};

}  // namespace ebm::cpu
