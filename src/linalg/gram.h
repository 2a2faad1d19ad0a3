// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/kernels.h"
#include "linalg/linear_operator.h"
#include "linalg/results.h"

namespace ebm {

enum class GramUse { values, log_det_gradient };

/// Everything about each J of a batch, exactly, from d JVPs: G = J^T J in float64 and its eigenvalues. For
/// small d the cheapest way to s1 (d <= 2K + 2 against LOBPCG), for large d a monitor on a few samples.
///
/// L = 1/2 log det G has the gradient dL = sum_k <J G^-1 e_k, dJ e_k> (see log_det_cotangents).
///
/// Samples at the floor (s1 <= 1e-6 sqrt(trace G)) are flagged; their loss is finite, their gradient zero.
class ExactGram {
 public:
  /// For B samples of J: R^d -> R^D. Keeps all of J (d*B x D floats; as much again for the gradient of log
  /// det) and three d x d doubles a sample.
  ExactGram(Kernels& kernels, int64_t B, int64_t d, int64_t D, GramUse use = GramUse::values);

  /// Allocates nothing, waits for nothing. v0 (B x d, may be empty) only turns v so that <v, v0> >= 0, and
  /// asks for J v0 / ||v0||. Throws Error on wrong shapes.
  void run(LinearOperator& j, ConstView v0 = {});

  SmallestSingular result() const;  ///< without a v0: jv0_unit and norm_v0 are 0
  SampleNumbers log_det() const {
    return numbers(log_det_);
  }  ///< 1/2 log det G; eigenvalues not below the floor
  SampleNumbers s_max() const { return numbers(s_max_); }
  SampleNumbers cond() const { return numbers(cond_); }  ///< s_max / s1
  /// G, B x (d x d), row-major.
  BasicView<const double> gram() const { return {gram_.data(), batch_, flat(d_ * d_)}; }
  ConstView unit_vectors() const { return unit_vectors_; }  ///< d*B x d, tangent-major: e_k for every sample
  ConstView columns() const { return columns_; }            ///< d*B x D, tangent-major: J e_k

  /// Computes J G^-1 e_k for all k (d*B x D, tangent-major), of the last run; 0 for samples that are flagged.
  /// Throws Error unless constructed with GramUse::log_det_gradient.
  ConstView log_det_cotangents();

 private:
  SampleNumbers numbers(const Buffer<double>& x) const { return {x.data(), batch_, flat(1)}; }

  Kernels& kernels_;
  int64_t batch_, d_, range_;
  Tensor unit_vectors_, columns_, cotangents_;
  Tensor v_, jv_, jv0_unit_;
  Buffer<double> gram_, eigenvalues_, eigenvectors_, inverse_;  // B x d x d each; eigenvalues on the diagonal
  Buffer<Rotation> rotations_;
  Buffer<double> log_det_, s_max_, cond_, theta_, floor2_, norm_v0_;
  Buffer<int32_t> status_;
};

}  // namespace ebm
