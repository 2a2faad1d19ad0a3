// SPDX-License-Identifier: MIT
#pragma once

#include "layers/layer.h"

namespace ebm {

/// The leaky ReLU that a layer may end with, in the same formulas as its last step: y = h if h > 0, else
/// slope h. Memory traffic is the reason: an activation of its own reads and writes everything once more, and
/// keeps both h and y. Here y alone is kept, since its sign is that of h.
struct Activation {
  float slope = 1;  ///< 1: none; 0: ReLU; never negative

  bool present() const { return slope != 1; }
};

/// y_dot = dy/dh y_dot for the tangents of a trace whose output is y.
void mask_tangents(Trace& trace, Activation activation, ConstView y, View y_dot);

/// Where the gradient of a bias goes that h contains: the sum of dy/dh y_bar over the values' rows.
struct BiasGradient {
  float* out = nullptr;            ///< `size` numbers; null: not wanted
  int64_t size = 0;                ///< of the last axes of y, which the bias is added along
  const float* weights = nullptr;  ///< row i of the batch counts weights[i] times
  Write mode = Write::overwrite;
};

/// dy/dh y_bar for both parts of y_bar that are there, one after the other in `memory`.
ConstPair masked_cotangents(Trace& trace, Activation activation, ConstView y, ConstPair y_bar, float* memory,
                            const BiasGradient& bias = {});

}  // namespace ebm
