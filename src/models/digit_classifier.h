// SPDX-License-Identifier: MIT
// The classifier of digits that modes of StackedMNIST are counted with, as MEG's public code has it
// (scripts/train/classifier_mnist.py).
#pragma once

#include <memory>

#include "layers/layer.h"

namespace ebm {

/// Conv2d 5 x 5 to 10 channels, MaxPool2d(2), ReLU, Conv2d 5 x 5 to 20, Dropout2d(0.5), MaxPool2d(2), ReLU,
/// Linear to 50, ReLU, Dropout(0.5), Linear to 10 logits; of images of 28 x 28 x 1 in [0, 1]. `seed` is that of
/// the dropouts.
std::unique_ptr<Layer> digit_classifier_layers(uint64_t seed);

}  // namespace ebm
