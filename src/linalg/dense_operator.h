// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "kernels/kernels.h"
#include "linalg/linear_operator.h"

namespace ebm {

/// B given D x d matrices as a LinearOperator, for tests and benchmarks. Products are summed in float64 and
/// rounded once.
class DenseOperator : public LinearOperator {
 public:
  /// `matrices`: B x D x d, row-major. Throws Error on another number of values, or a size below 1.
  DenseOperator(Kernels& kernels, int64_t B, int64_t D, int64_t d, std::span<const float> matrices,
                int64_t max_tangents = 1);

  int64_t batch() const override { return batch_; }
  int64_t domain() const override { return d_; }
  int64_t range() const override { return range_; }
  int64_t max_tangents() const override { return max_tangents_; }

 protected:
  void do_apply(ConstView v, View jv) override;
  void do_apply_adjoint(ConstView u, View jtu) override;

 private:
  Kernels& kernels_;
  int64_t batch_, range_, d_, max_tangents_;
  Buffer<float> matrices_, transposed_;  // B x D x d, B x d x D
};

}  // namespace ebm
