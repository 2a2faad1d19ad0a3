// SPDX-License-Identifier: MIT
#include "models/digit_classifier.h"

#include "models/stack.h"

namespace ebm {

std::unique_ptr<Layer> digit_classifier_layers(uint64_t seed) {
  constexpr Window conv5{.kernel = {5, 5}}, pool2{.kernel = {2, 2}, .stride = {2, 2}};
  constexpr float half = 0.5f;
  Stack main({.height = 28, .width = 28, .channels = 1});
  main.convolution(conv5, 10).max_pool(pool2).leaky(0);
  main.convolution(conv5, 20).dropout(half, Dropped::channels, seed).max_pool(pool2).leaky(0);
  main.linear(50).leaky(0).dropout(half, Dropped::numbers, seed + 1).linear(10);
  return main.build();
}

}  // namespace ebm
