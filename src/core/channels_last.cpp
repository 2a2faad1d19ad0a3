// SPDX-License-Identifier: MIT
#include "core/channels_last.h"

#include <algorithm>

namespace ebm {

namespace {

/// outer x first x second x inner -> outer x second x first x inner
std::vector<float> swapped(std::span<const float> from, int64_t first, int64_t second, int64_t inner) {
  std::vector<float> to(from.size());
  const int64_t block = first * second * inner, outer = static_cast<int64_t>(from.size()) / block;
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < first; ++i) {
      for (int64_t j = 0; j < second; ++j) {
        const auto source = from.begin() + o * block + (i * second + j) * inner;
        std::copy(source, source + inner, to.begin() + o * block + (j * first + i) * inner);
      }
    }
  }
  return to;
}

}  // namespace

std::vector<float> to_pytorch_order(std::span<const float> memory, const ChannelsLast& order) {
  return swapped(memory, order.pixels, order.channels, order.inner);
}

std::vector<float> to_memory_order(std::span<const float> pytorch, const ChannelsLast& order) {
  return swapped(pytorch, order.channels, order.pixels, order.inner);
}

}  // namespace ebm
