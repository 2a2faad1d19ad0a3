// SPDX-License-Identifier: MIT
// The order of an image's axes: PyTorch keeps C x H x W, this project H x W x C.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ebm {

/// How an array that holds images among its axes lies in memory. PyTorch's array is outer x channels x pixels
/// x inner (`outer` follows from its size), in memory it is outer x pixels x channels x inner. Of this kind
/// are batches of images, weights of convolutions (OIHW and OHWI), and the weight of a Linear whose inputs or
/// outputs PyTorch flattens from or reshapes to an image. The default is an array without images.
struct ChannelsLast {
  int64_t channels = 1, pixels = 1, inner = 1;
};

/// The same numbers in PyTorch's order / in the order of memory.
std::vector<float> to_pytorch_order(std::span<const float> memory, const ChannelsLast& order);
std::vector<float> to_memory_order(std::span<const float> pytorch, const ChannelsLast& order);

}  // namespace ebm
