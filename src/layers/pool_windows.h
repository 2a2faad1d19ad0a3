// SPDX-License-Identifier: MIT
// What pooling layers over windows that may overlap have in common.
#pragma once

#include "layers/convolution.h"

namespace ebm {

/// The windows over images of that shape. Throws Error if none fits, or if one might hold padding alone.
PoolWindows pool_windows(const Features& image, const Window& window);
/// What pooling over them gives.
Features pooled_features(const Features& image, const Window& window);

}  // namespace ebm
