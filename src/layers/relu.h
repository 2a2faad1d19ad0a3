// SPDX-License-Identifier: MIT
#pragma once

#include "layers/leaky_relu.h"

namespace ebm {

/// ReLU: y = max(x, 0), i.e. LeakyReLU with slope 0.
class ReluLayer final : public LeakyReluLayer {
 public:
  explicit ReluLayer(const Features& features) : LeakyReluLayer(features, 0) {}
};

}  // namespace ebm
