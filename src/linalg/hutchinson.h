// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/kernels.h"
#include "linalg/linear_operator.h"
#include "linalg/results.h"

namespace ebm {

/// Hutchinson's estimator of the entropy of J: d/2 log(||J v||^2 / d), v ~ N(0, I_d), for one JVP
/// (docs/method.md, "Hutchinson"; Kumar, Poole, Murphy 2020, arXiv:2002.08927). On average over v it lies
/// above 1/2 log det J^T J, up to Jensen's inequality.
class Hutchinson {
 public:
  /// For B samples of J: R^d -> R^D.
  Hutchinson(Kernels& kernels, int64_t B, int64_t d, int64_t D);

  /// v: B x d. Allocates nothing, waits for nothing. Throws Error on wrong shapes.
  void run(LinearOperator& j, ConstView v);

  SampleNumbers log_det() const { return {value_.data(), jv_.rows(), flat(1)}; }
  SampleNumbers theta() const { return {theta_.data(), jv_.rows(), flat(1)}; }  ///< ||J v||^2
  ConstView jv() const { return jv_; }  ///< B x D; the gradient is d <J v, dJ v> / theta
  SampleStatuses status() const { return {status_.data(), jv_.rows(), flat(1)}; }

 private:
  Kernels& kernels_;
  int64_t d_;
  Tensor jv_;
  Buffer<double> theta_, value_;
  Buffer<int32_t> status_;
};

}  // namespace ebm
