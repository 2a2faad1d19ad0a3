// SPDX-License-Identifier: MIT
#include "linalg/dense_operator.h"

#include <vector>

namespace ebm {

namespace {

/// B, or an Error: the buffers are made from these sizes.
int64_t checked_batch(int64_t B, int64_t D, int64_t d, int64_t max_tangents) {
  if (B < 1 || D < 1 || d < 1 || max_tangents < 1) {
    throw Error("dense operator of " + std::to_string(B) + " maps R^" + std::to_string(d) + " -> R^" +
                std::to_string(D) + " with " + std::to_string(max_tangents) +
                " tangents a sample: give sizes of 1 or more");
  }
  return B;
}

}  // namespace

DenseOperator::DenseOperator(Kernels& kernels, int64_t B, int64_t D, int64_t d,
                             std::span<const float> matrices, int64_t max_tangents)
    : kernels_(kernels),
      batch_(checked_batch(B, D, d, max_tangents)),
      range_(D),
      d_(d),
      max_tangents_(max_tangents),
      matrices_(kernels, B * D * d),
      transposed_(kernels, B * D * d) {
  matrices_.upload(matrices);
  std::vector<float> transposed(matrices.size());
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t i = 0; i < D; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        transposed[static_cast<size_t>((b * d + j) * D + i)] =
            matrices[static_cast<size_t>((b * D + i) * d + j)];
      }
    }
  }
  transposed_.upload(transposed);
}

void DenseOperator::do_apply(ConstView v, View jv) {
  kernels_.run(RowTimesMatrix{.rows = v.rows,
                              .columns = range_,
                              .inner = d_,
                              .batch = batch_,
                              .in = v.data,
                              .matrix = transposed_.data(),
                              .out = jv.data});
}

void DenseOperator::do_apply_adjoint(ConstView u, View jtu) {
  kernels_.run(RowTimesMatrix{.rows = u.rows,
                              .columns = d_,
                              .inner = range_,
                              .batch = batch_,
                              .in = u.data,
                              .matrix = matrices_.data(),
                              .out = jtu.data});
}

}  // namespace ebm
