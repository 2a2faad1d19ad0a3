// SPDX-License-Identifier: MIT
#include "linalg/gram.h"

#include <algorithm>

namespace ebm {

ExactGram::ExactGram(Kernels& kernels, int64_t B, int64_t d, int64_t D, GramUse use)
    : kernels_(kernels),
      batch_(B),
      d_(d),
      range_(D),
      unit_vectors_(kernels, d * B, flat(d)),
      columns_(kernels, d * B, flat(D)),
      v_(kernels, B, flat(d)),
      jv_(kernels, B, flat(D)),
      jv0_unit_(kernels, B, flat(D)),
      gram_(kernels, B * d * d),
      eigenvalues_(kernels, B * d * d),
      eigenvectors_(kernels, B * d * d),
      rotations_(kernels, B * (d + 1)),
      log_det_(kernels, B),
      s_max_(kernels, B),
      cond_(kernels, B),
      theta_(kernels, B),
      floor2_(kernels, B),
      norm_v0_(kernels, B),
      status_(kernels, B) {
  if (use == GramUse::log_det_gradient) {
    inverse_ = Buffer<double>(kernels, B * d * d);
    cotangents_ = Tensor(kernels, d * B, flat(D));
  }
  kernels.run(UnitVectors{.rows = d * B, .columns = d, .batch = B, .out = unit_vectors_.data()});
}

void ExactGram::run(LinearOperator& j, ConstView v0) {
  const bool start_fits = v0.empty() || (v0.rows == batch_ && v0.columns() == d_);
  if (j.batch() != batch_ || j.domain() != d_ || j.range() != range_ || !start_fits) {
    throw Error("exact Gram matrix for " + std::to_string(batch_) + " maps R^" + std::to_string(d_) +
                " -> R^" + std::to_string(range_) + " got another operator, or a start of " + to_string(v0));
  }
  const Range range(kernels_, "exact gram");
  for (int64_t first = 0; first < d_; first += j.max_tangents()) {
    const int64_t rows = std::min(j.max_tangents(), d_ - first) * batch_;
    j.apply(unit_vectors_.row_range(first * batch_, rows), columns_.row_range(first * batch_, rows));
  }
  kernels_.run(GramMatrix{
      .rows = batch_ * d_, .d = d_, .range = range_, .columns_of_j = columns_.data(), .gram = gram_.data()});
  kernels_.run(GramEigen{.rows = batch_,
                         .d = d_,
                         .gram = gram_.data(),
                         .v0 = v0.data,
                         .work_matrix = eigenvalues_.data(),
                         .vectors = eigenvectors_.data(),
                         .rotations = rotations_.data(),
                         .v = v_.data(),
                         .log_det = log_det_.data(),
                         .s_max = s_max_.data(),
                         .floor2 = floor2_.data(),
                         .norm_v0 = norm_v0_.data(),
                         .status = status_.data()});
  kernels_.run(GramImages{.rows = batch_,
                          .d = d_,
                          .range = range_,
                          .columns_of_j = columns_.data(),
                          .v = v_.data(),
                          .v0 = v0.data,
                          .norm_v0 = norm_v0_.data(),
                          .s_max = s_max_.data(),
                          .floor2 = floor2_.data(),
                          .u = jv_.data(),
                          .u0 = jv0_unit_.data(),
                          .theta = theta_.data(),
                          .cond = cond_.data(),
                          .status = status_.data()});
}

SmallestSingular ExactGram::result() const {
  return {.v = v_,
          .jv = jv_,
          .theta = numbers(theta_),
          .floor2 = numbers(floor2_),
          .status = {status_.data(), batch_, flat(1)},
          .jv0_unit = jv0_unit_,
          .norm_v0 = numbers(norm_v0_)};
}

ConstView ExactGram::log_det_cotangents() {
  if (inverse_.empty())
    throw Error("exact Gram matrix: made without GramUse::log_det_gradient, so it has no gradient");
  kernels_.run(GramInverse{.rows = batch_,
                           .d = d_,
                           .values = eigenvalues_.data(),
                           .vectors = eigenvectors_.data(),
                           .inverse = inverse_.data()});
  kernels_.run(GramCotangents{.rows = d_ * batch_,
                              .columns = range_,
                              .d = d_,
                              .columns_of_j = columns_.data(),
                              .inverse = inverse_.data(),
                              .status = status_.data(),
                              .out = cotangents_.data()});
  return cotangents_;
}

}  // namespace ebm
