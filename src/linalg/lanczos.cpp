// SPDX-License-Identifier: MIT
// Lanczos with full re-orthogonalisation on C^-1 J^T J C^-T, one sample (all in lockstep):
//
//   q_1 = g / ||g||
//   for j = 1 .. n:
//     u_j = J C^-T q_j;  alpha_j = <u_j, u_j>
//     h = C^-1 J^T u_j, minus its parts along q_1 .. q_j (twice);  beta_j = ||h||;  q_{j+1} = h / beta_j
//   T_n = tridiag(alpha, beta): quadrature and gradient (LanczosQuadrature)
//
// u_j is divided by its norm before J^T, and beta_j multiplied by it, so that float32 never holds a squared
// singular value. Without re-orthogonalisation float32 loses whole nats within ten steps.
#include "linalg/lanczos.h"

#include "linalg/preconditioner.h"

namespace ebm {

Lanczos::Lanczos(Kernels& kernels, int64_t B, int64_t d, int64_t D, const LanczosOptions& options)
    : kernels_(kernels), batch_(B), d_(d), range_(D), options_(options) {
  if (options.pairs < 1 || options.pairs > max_lanczos_pairs) {
    throw Error("Lanczos with " + std::to_string(options.pairs) + " pairs: give 1 to " +
                std::to_string(max_lanczos_pairs));
  }
  if (!(options.radau_factor > 0 && options.radau_factor < 1) || !(options.radau_node >= 0)) {
    throw Error("Lanczos: the Radau node's factor is " + std::to_string(options.radau_factor) +
                ", not between 0 and 1, or its node " + std::to_string(options.radau_node) + " is negative");
  }
  q_ = Tensor(kernels, (options.pairs + 1) * B, flat(d));
  images_ = Tensor(kernels, options.pairs * B, flat(D));
  uh_ = Tensor(kernels, B, flat(D));
  h_ = Tensor(kernels, B, flat(d));
  if (options.preconditioner != nullptr) {
    for (Tensor* x : {&g_, &start_, &t_}) *x = Tensor(kernels, B, flat(d));
  }
  u_ = Tensor(kernels, B, flat(D));
  v_ = Tensor(kernels, B, flat(d));
  for (Buffer<double>* x : {&alpha_, &beta_, &coefficient_}) *x = Buffer<double>(kernels, options.pairs * B);
  for (Buffer<double>* x : {&gauss_, &radau_, &theta1_}) *x = Buffer<double>(kernels, B);
  status_ = Buffer<int32_t>(kernels, B);
}

void Lanczos::run(LinearOperator& j, ConstView g) {
  if (j.batch() != batch_ || j.domain() != d_ || j.range() != range_ || g.rows != batch_ ||
      g.columns() != d_) {
    throw Error("Lanczos for " + std::to_string(batch_) + " maps R^" + std::to_string(d_) + " -> R^" +
                std::to_string(range_) + " got probes of " + to_string(g) + " or another operator");
  }
  const Range range(kernels_, "lanczos");
  kernels_.run(LanczosStart{.rows = batch_, .d = d_, .g = g.data, .q = q_.data(), .status = status_.data()});
  for (int64_t step = 0; step < options_.pairs; ++step) {
    image(j, step);
    next(j, step);
  }
  quadrature();
}

// u_j = J C^-T q_j;  alpha_j = <u_j, u_j>;  uh = u_j / ||u_j||
void Lanczos::image(LinearOperator& j, int64_t step) {
  const Preconditioner* whitening = options_.preconditioner;
  const View q = q_.row_range(step * batch_, batch_), u = images_.row_range(step * batch_, batch_);
  View t = q;
  if (whitening != nullptr) {
    t = step == 0 ? start_ : t_;  // C^-T q_1 is kept for the gradient
    whitening->apply_root_inverse_transposed(q, t);
  }
  j.apply(t, u);
  kernels_.run(UnitImage{.rows = batch_,
                         .range = range_,
                         .u = u.data,
                         .uh = uh_.data(),
                         .theta = alpha_.data() + step * batch_});
}

// h = C^-1 J^T uh;  beta_j and q_{j+1}
void Lanczos::next(LinearOperator& j, int64_t step) {
  const Preconditioner* whitening = options_.preconditioner;
  if (whitening != nullptr) {
    j.apply_adjoint(uh_, g_);
    whitening->apply_root_inverse(g_, h_);
  } else {
    j.apply_adjoint(uh_, h_);
  }
  kernels_.run(LanczosNext{.rows = batch_,
                           .d = d_,
                           .j = step,
                           .q = q_.data(),
                           .h = h_.data(),
                           .alpha = alpha_.data(),
                           .beta = beta_.data(),
                           .status = status_.data()});
}

// gauss, radau, theta1;  u and v of the gradient
void Lanczos::quadrature() {
  const Preconditioner* whitening = options_.preconditioner;
  kernels_.run(LanczosQuadrature{.rows = batch_,
                                 .d = d_,
                                 .range = range_,
                                 .pairs = options_.pairs,
                                 .radau_factor = options_.radau_factor,
                                 .radau_node = options_.radau_node,
                                 .alpha = alpha_.data(),
                                 .beta = beta_.data(),
                                 .log_det_root = whitening != nullptr ? whitening->log_det_root() : nullptr,
                                 .images = images_.data(),
                                 .start = whitening != nullptr ? start_.data() : q_.data(),
                                 .coefficient = coefficient_.data(),
                                 .gauss = gauss_.data(),
                                 .radau = radau_.data(),
                                 .theta1 = theta1_.data(),
                                 .u = u_.data(),
                                 .v = v_.data(),
                                 .status = status_.data()});
}

LogDetEstimate Lanczos::result() const {
  return {.gauss = numbers(gauss_),
          .radau = numbers(radau_),
          .theta1 = numbers(theta1_),
          .u = u_,
          .v = v_,
          .status = {status_.data(), batch_, flat(1)}};
}

}  // namespace ebm
