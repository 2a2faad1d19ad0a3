// SPDX-License-Identifier: MIT
// Classifiers of images, ten classes each, whose inputs are in [0, 1]. The rows before the last give what sets
// of images are compared by (evaluate/classifier_features.h).
#pragma once

#include <memory>

#include "layers/layer.h"

namespace ebm {

inline constexpr int64_t image_classes = 10;
inline constexpr Features digit_image{.height = 28, .width = 28, .channels = 1};

/// Throws Error unless there is a classifier of such images: of 28x28x1 and of 32x32x3.
void require_classifier(const Features& images);

/// Of 28 x 28 x 1, the network that modes of StackedMNIST are counted with in MEG's public code
/// (scripts/train/classifier_mnist.py): Conv2d 5 x 5 to 10 channels, MaxPool2d(2), ReLU, Conv2d 5 x 5 to 20,
/// Dropout2d(0.5), MaxPool2d(2), ReLU, Linear to 50, ReLU, Dropout(0.5), Linear to 10 logits.
/// Of 32 x 32 x 3: three times Conv2d 3 x 3 (to 32, 64, 128 channels), BatchNorm2d, ReLU, MaxPool2d(2); Linear
/// to 128, ReLU, Dropout(0.5), Linear to 10 logits.
/// `seed` is that of the dropouts. Throws Error as above.
std::unique_ptr<Layer> classifier_layers(const Features& images, uint64_t seed);

/// The same network in two parts, its last row apart; names are those of the whole.
std::unique_ptr<Layer> classifier_body_layers(const Features& images);
std::unique_ptr<Layer> classifier_head_layers(const Features& images);

}  // namespace ebm
