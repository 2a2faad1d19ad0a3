// SPDX-License-Identifier: MIT
// A generator that bends: of d numbers, with batch norm on running statistics, PReLU and a final tanh.
#pragma once

#include "reference/random.h"
#include "support/networks.h"

namespace ebm::test {

inline reference::Network curved_generator(int64_t d, int64_t range) {
  using reference::LayerSpec;
  return reference::random_network({LayerSpec::linear(d, 17), LayerSpec::batch_norm(17), LayerSpec::prelu(),
                                    LayerSpec::linear(17, range), LayerSpec::tanh()},
                                   reference::Statistics::running, 5);
}

}  // namespace ebm::test
