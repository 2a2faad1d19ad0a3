// SPDX-License-Identifier: MIT
// Tanh: y = tanh x, whose derivatives are told from y: f' = 1 - y^2, f'' = -2 y (1 - y^2).
#pragma once

#include "layers/curved_activation.h"

namespace ebm {

class TanhLayer final : public CurvedActivation {
 public:
  explicit TanhLayer(const Features& features) : CurvedActivation(features) {}
  bool keeps_output() const override { return true; }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  void do_forward(Trace& trace, View y) const override;
  void linearized(Trace& trace, int64_t samples, ConstView in, View out) const override;
  void curvature(Trace& trace, ConstView y_dot_bar, View x_bar, Write mode) const override;
};

}  // namespace ebm
