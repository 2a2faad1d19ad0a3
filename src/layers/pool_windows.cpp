// SPDX-License-Identifier: MIT
#include "layers/pool_windows.h"

namespace ebm {

PoolWindows pool_windows(const Features& image, const Window& window) {
  const auto [kernel, stride, padding, unused] = window;
  const auto fits = [](int64_t side, int64_t k, int64_t s, int64_t p) {
    return k >= 1 && s >= 1 && p >= 0 && 2 * p <= k && side + 2 * p >= k;
  };
  if (!fits(image.height, kernel.height, stride.height, padding.height) ||
      !fits(image.width, kernel.width, stride.width, padding.width)) {
    throw Error("windows of " + to_string(kernel) + " pixels do not fit into images " + to_string(image) +
                "; they must, with a padding of half of them at most");
  }
  return {.fine = image.plane(),
          .coarse = {(image.height + 2 * padding.height - kernel.height) / stride.height + 1,
                     (image.width + 2 * padding.width - kernel.width) / stride.width + 1},
          .kernel = kernel,
          .stride = stride,
          .padding = padding};
}

Features pooled_features(const Features& image, const Window& window) {
  const Extent plane = pool_windows(image, window).coarse;
  return {.height = plane.height, .width = plane.width, .channels = image.channels};
}

}  // namespace ebm
