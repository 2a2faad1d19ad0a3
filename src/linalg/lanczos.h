// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/kernels.h"
#include "linalg/linear_operator.h"
#include "linalg/results.h"

namespace ebm {

class Preconditioner;

struct LanczosOptions {
  int pairs = 3;              ///< n: VJP + JVP pairs, 1 to 32
  double radau_factor = 0.1;  ///< the Radau rule's node a = radau_factor * (smallest Ritz value), in (0, 1)
  double radau_node =
      0;  ///< where above 0: a itself, e.g. half the smallest eigenvalue that the exact Gram matrix showed
  const Preconditioner* preconditioner = nullptr;  ///< whitens by M = C C^T; null: C = I
};

/// Estimates of L = 1/2 log det J^T J from one probe a sample. A single value scatters about L: the bounds
/// hold on average over probes, the lower one if a <= smallest eigenvalue of C^-1 J^T J C^-T. Views into the
/// solver, valid until its next run.
struct LogDetEstimate {
  SampleNumbers gauss;  ///< upper bound of E
  SampleNumbers radau;  ///< lower bound of E
  SampleNumbers
      theta1;  ///< smallest Ritz value of the whitened J^T J, an upper bound of its smallest eigenvalue
  /// The gradient, with u and v held constant: dL = <u, dJ v>; <u, J v> = d. Zero for flagged samples.
  ConstView u;  ///< B x D
  ConstView v;  ///< B x d
  SampleStatuses status;
};

/// Stochastic Lanczos quadrature of 1/2 log det J^T J, and its gradient by conjugate gradients, from n VJP +
/// JVP pairs: Lanczos on C^-1 J^T J C^-T with full re-orthogonalisation (docs/method.md, "Lanczos"; Ubaru,
/// Chen and Saad 2017, doi:10.1137/16M1104974; Golub and Meurant 2010).
class Lanczos {
 public:
  /// For B samples of J: R^d -> R^D. Throws Error on options out of range.
  Lanczos(Kernels& kernels, int64_t B, int64_t d, int64_t D, const LanczosOptions& options = {});

  /// Probes g (B x d, ~ N(0, I)). Allocates nothing, waits for nothing. Throws Error on wrong shapes.
  void run(LinearOperator& j, ConstView g);

  LogDetEstimate result() const;
  /// T_n: element (j, b) of sample b at j * B + b. beta_j couples j and j + 1, 0 from where the Krylov space
  /// was exhausted.
  BasicView<const double> alpha() const { return {alpha_.data(), options_.pairs * batch_, flat(1)}; }
  BasicView<const double> beta() const { return {beta_.data(), options_.pairs * batch_, flat(1)}; }

 private:
  void image(LinearOperator& j, int64_t step);
  void next(LinearOperator& j, int64_t step);
  void quadrature();
  SampleNumbers numbers(const Buffer<double>& x) const { return {x.data(), batch_, flat(1)}; }

  Kernels& kernels_;
  int64_t batch_, d_, range_;
  LanczosOptions options_;
  Tensor q_, images_;              // (n + 1) B x d: q_j; n B x D: u_j = J C^-T q_j
  Tensor uh_, g_, h_, start_, t_;  // B x D; B x d: J^T uh, C^-1 J^T uh, C^-T q_1, C^-T q_j
  Tensor u_, v_;
  Buffer<double> alpha_, beta_, coefficient_, gauss_, radau_, theta1_;
  Buffer<int32_t> status_;
};

}  // namespace ebm
