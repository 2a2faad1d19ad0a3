// SPDX-License-Identifier: MIT
// The products of every row of one matrix with every row of another, in float64:
//
//   row_products             out(i, j) = sum_k a(i, k) b(j, k)              A B^T
//
// The covariance of features and kernels between them are made of these. Rows lie one after another, a: n x
// depth, b: m x depth, out: n x m. Each sum is taken in the order of k, whatever n and m are, so a(i) with b(j)
// gives the same bits as b(j) with a(i). Throw Error when the sizes do not fit together.
#pragma once

#include <cstdint>
#include <span>

namespace ebm {

template <class A, class B>
void row_products(std::span<const A> a, std::span<const B> b, int64_t depth, std::span<double> out);

extern template void row_products(std::span<const float>, std::span<const float>, int64_t, std::span<double>);
extern template void row_products(std::span<const double>, std::span<const double>, int64_t,
                                  std::span<double>);

/// out = A A^T, n x n: the products above for j >= i, mirrored.
void symmetric_row_products(std::span<const float> a, int64_t depth, std::span<double> out);
void symmetric_row_products(std::span<const double> a, int64_t depth, std::span<double> out);

}  // namespace ebm
