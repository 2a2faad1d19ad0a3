// SPDX-License-Identifier: MIT
#include "linalg/hutchinson.h"

namespace ebm {

Hutchinson::Hutchinson(Kernels& kernels, int64_t B, int64_t d, int64_t D)
    : kernels_(kernels),
      d_(d),
      jv_(kernels, B, flat(D)),
      theta_(kernels, B),
      value_(kernels, B),
      status_(kernels, B) {}

void Hutchinson::run(LinearOperator& j, ConstView v) {
  j.apply(v, jv_);
  kernels_.run(HutchinsonEstimate{.rows = jv_.rows(),
                                  .d = d_,
                                  .range = jv_.columns(),
                                  .jv = jv_.data(),
                                  .theta = theta_.data(),
                                  .value = value_.data(),
                                  .status = status_.data()});
}

}  // namespace ebm
