// SPDX-License-Identifier: MIT
#include "linalg/preconditioner.h"

namespace ebm {

Preconditioner::Preconditioner(Kernels& kernels, int64_t B, int64_t d, double beta, Communicator* ranks)
    : kernels_(kernels),
      batch_(B),
      d_(d),
      whole_batch_(B * count_of(ranks)),
      beta_(beta),
      state_(kernels, d * d + 2),
      c_(kernels, d * d),
      c_inverse_(kernels, d * d),
      log_det_root_(kernels, 1),
      inverse_(kernels, d * d),
      root_inverse_(kernels, d * d),
      root_inverse_t_(kernels, d * d),
      usable_(kernels, whole_batch_),
      active_(kernels, 1),
      h_(kernels, B, flat(d)),
      rows_(kernels, ranks, B * d) {
  if (!(beta >= 0 && beta < 1))
    throw Error("preconditioner: beta is " + std::to_string(beta) + ", not in [0, 1)");
  factor();  // of nothing: the identity
}

void Preconditioner::update(LinearOperator& j, ConstView e) {
  j.apply_adjoint(e, h_);
  update(h_);
}

void Preconditioner::update(ConstView h) {
  if (h.rows != batch_ || h.columns() != d_) {
    throw Error("preconditioner for " + std::to_string(batch_) + " rows of " + std::to_string(d_) + " got " +
                to_string(h));
  }
  const float* const rows = rows_.gather(h.data);
  kernels_.run(FiniteRows{.rows = whole_batch_, .columns = d_, .h = rows, .usable = usable_.data()});
  kernels_.run(SecondMoment{.rows = d_,
                            .columns = d_,
                            .batch = whole_batch_,
                            .h = rows,
                            .usable = usable_.data(),
                            .beta = beta_,
                            .sum = state_.data()});
  kernels_.run(MomentWeight{
      .batch = whole_batch_, .usable = usable_.data(), .beta = beta_, .weight = state_.data() + d_ * d_});
}

void Preconditioner::factor() {
  kernels_.run(PreconditionerFactor{.d = d_,
                                    .sum = state_.data(),
                                    .weight = state_.data() + d_ * d_,
                                    .c = c_.data(),
                                    .c_inverse = c_inverse_.data(),
                                    .inverse = inverse_.data(),
                                    .root_inverse = root_inverse_.data(),
                                    .root_inverse_t = root_inverse_t_.data(),
                                    .log_det_root = log_det_root_.data(),
                                    .active = active_.data()});
}

void Preconditioner::multiply(ConstView in, const Buffer<float>& matrix, View out) const {
  if (in.columns() != d_ || out.columns() != d_ || in.rows != out.rows || in.data == out.data) {
    throw Error("preconditioner of R^" + std::to_string(d_) + " cannot take " + to_string(in) + " to " +
                to_string(out));
  }
  kernels_.run(RowTimesMatrix{.rows = in.rows,
                              .columns = d_,
                              .inner = d_,
                              .batch = 1,
                              .in = in.data,
                              .matrix = matrix.data(),
                              .out = out.data});
}

}  // namespace ebm
