// SPDX-License-Identifier: MIT
// Residual blocks that several networks are made of.
#pragma once

#include "models/stack.h"

namespace ebm {

/// Doubles the image: BN ReLU Upsample Conv2d BN ReLU Conv2d, beside Upsample and a 1 x 1 Conv2d.
void doubling_block(Stack& main, int64_t channels, float eps);

}  // namespace ebm
