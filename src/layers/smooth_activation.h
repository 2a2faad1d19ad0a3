// SPDX-License-Identifier: MIT
// Softplus and SiLU (kernels/formulas/smooth.h), whose derivatives are told from x.
#pragma once

#include "layers/curved_activation.h"

namespace ebm {

class SmoothActivation final : public CurvedActivation {
 public:
  SmoothActivation(const Features& features, Curve curve) : CurvedActivation(features), curve_(curve) {}

 protected:
  void do_forward(Trace& trace, View y) const override;
  void linearized(Trace& trace, int64_t samples, ConstView in, View out) const override;
  void curvature(Trace& trace, ConstView y_dot_bar, View x_bar, Write mode) const override;

 private:
  Curve curve_;
};

}  // namespace ebm
