// SPDX-License-Identifier: MIT
// MaxPool2d: y = the largest x of each window (kernels/formulas/max_pool.h), a piecewise linear map: tangents
// and cotangents go through the places of the largest numbers.
#pragma once

#include "layers/pool_windows.h"

namespace ebm {

class MaxPool final : public Layer {
 public:
  /// Of windows of `kernel` pixels, `stride` apart; padding is no pixel. Throws Error if no window fits, or if a
  /// window might hold padding alone.
  MaxPool(const Features& input, const Window& window);
  bool piecewise_linear(Statistics) const override { return true; }

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  void spread(Trace& trace, int64_t samples, ConstView y_bar, View x_bar) const;

  PoolWindows windows_;
};

}  // namespace ebm
