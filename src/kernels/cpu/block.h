// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cpu/parts.h"
#include "kernels/kernels.h"

namespace ebm::cpu {

/// A product or a part of one: a Gemm whose matrices may lie in wider ones. Strides lead from row to row in
/// memory.
struct Block : Gemm {
  int64_t stride_a, stride_b, stride_c;

  explicit Block(const Gemm& g)
      : Gemm(g),
        stride_a(g.transpose_a == Transpose::no ? g.inner : g.m),
        stride_b(g.transpose_b == Transpose::no ? g.n : g.inner),
        stride_c(g.n) {}

  Block rows(Range range) const {
    Block part = *this;
    part.m = range.size();
    part.a += range.first * (transpose_a == Transpose::no ? stride_a : 1);
    part.c += range.first * stride_c;
    return part;
  }
  Block columns(Range range) const {
    Block part = *this;
    part.n = range.size();
    part.b += range.first * (transpose_b == Transpose::no ? 1 : stride_b);
    part.c += range.first;
    return part;
  }
  /// A part of the sum, alone, into a dense matrix of its own.
  Block summands(Range range, float* partial) const {
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
