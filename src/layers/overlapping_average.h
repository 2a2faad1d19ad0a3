// SPDX-License-Identifier: MIT
// AvgPool2d(count_include_pad=False): the mean of the pixels that each window holds
// (kernels/formulas/average_pool.h).
#pragma once

#include "layers/forward_only.h"
#include "layers/pool_windows.h"

namespace ebm {

class OverlappingAverage final : public ForwardOnly {
 public:
  /// Of windows of `kernel` pixels, `stride` apart; padding is no pixel. Throws Error if no window fits, or
  /// if a window might hold padding alone.
  OverlappingAverage(const Features& input, const Window& window);

 protected:
  void do_forward(Trace& trace, View y) const override;

 private:
  PoolWindows windows_;
};

}  // namespace ebm
