// SPDX-License-Identifier: MIT
#include "models/blocks.h"

#include <utility>

namespace ebm {

void doubling_block(Stack& main, int64_t channels, float eps) {
  constexpr Window conv3{.kernel = {3, 3}, .padding = {1, 1}};
  constexpr Extent twice{2, 2};
  Stack left = main.side(), right = main.side();
  left.batch_norm(eps, relu).upsample(twice).convolution(conv3, channels);
  left.batch_norm(eps, relu).convolution(conv3, channels);
  right.upsample_and_pointwise(twice, channels);
  main.residual(std::move(left), std::move(right));
}

}  // namespace ebm
