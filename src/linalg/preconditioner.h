// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/kernels.h"
#include "linalg/linear_operator.h"
#include "linalg/results.h"
#include "parallel/shared_rows.h"

namespace ebm {

/// M = running mean of J^T J over the samples of the last steps, M = C C^T: LOBPCG's preconditioner T ~ M^-1
/// and the whitening J C^-T of Lanczos (docs/method.md, "Preconditioner").
///
/// Each step gives one row h = J^T e, e ~ N(0, I_D), a sample: E[h h^T] = E[J^T J], positive semi-definite by
/// construction. The mean forgets with `beta` a step; N_eff = B (1 + beta) / (1 - beta) rows stand behind it
/// in the long run. As long as N_eff < 4d, or if M is not finite, M = I: decided on the device.
class Preconditioner {
 public:
  /// For B samples a step of J with domain R^d, of each of `ranks` (null: one), which then have one M. Throws Error
  /// unless 0 <= beta < 1.
  Preconditioner(Kernels& kernels, int64_t B, int64_t d, double beta = 0.98, Communicator* ranks = nullptr);

  /// Takes in h = J^T e of each sample: one VJP pass. e (B x D): normal noise. Rows that are not finite are
  /// left out.
  void update(LinearOperator& j, ConstView e);
  /// The same with h (B x d) at hand.
  void update(ConstView h);
  /// Factors M anew: after updates, or after state() was written. Until then the old M is in use (at first:
  /// I).
  void factor();

  /// out = T in with T = (tr M / d) M^-1, for each row (any number of rows). The factor changes nothing for
  /// LOBPCG and keeps T in float32's range whatever the scale of J. `out` must not be `in`.
  void precondition(ConstView in, View out) const { multiply(in, inverse_, out); }
  /// out = C^-1 in, C^-T in, likewise.
  void apply_root_inverse(ConstView in, View out) const { multiply(in, root_inverse_t_, out); }
  void apply_root_inverse_transposed(ConstView in, View out) const { multiply(in, root_inverse_, out); }

  const double* log_det_root() const { return log_det_root_.data(); }  ///< on the device: log det C
  const int32_t* active() const { return active_.data(); }  ///< on the device: 0 where M = I stands in

  /// All that a checkpoint needs: d*d + 2 numbers, the weighted sum of h h^T, then the sums of the weights
  /// and their squares.
  Buffer<double>& state() { return state_; }
  const Buffer<double>& state() const { return state_; }

 private:
  void multiply(ConstView in, const Buffer<float>& matrix, View out) const;

  Kernels& kernels_;
  int64_t batch_, d_;
  int64_t whole_batch_;  // of all ranks
  double beta_;
  Buffer<double> state_, c_, c_inverse_, log_det_root_;
  Buffer<float> inverse_, root_inverse_, root_inverse_t_;
  Buffer<int32_t> usable_, active_;
  Tensor h_;
  SharedRows<float> rows_;  // h of all ranks
};

}  // namespace ebm
