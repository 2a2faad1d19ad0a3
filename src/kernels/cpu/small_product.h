// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cpu/block.h"

namespace ebm::cpu {

/// True if op(b) is so small that it stays in a core's cache: then small_product is as fast as oneDNN or
/// faster, whatever the number of rows (docs/performance.md).
bool is_small_product(const Block& g);

/// The product, on the calling thread. An element of c is the sum over the inner index in its order, wherever
/// a larger product is cut into blocks.
void small_product(const Block& g);

}  // namespace ebm::cpu
