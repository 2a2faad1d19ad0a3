// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "core/view.h"

namespace ebm {

/// Bytes, or numbers from 0 to 255 that are not rounded to bytes.
using PixelValues = std::variant<std::span<const uint8_t>, std::span<const float>>;

/// Features of images for comparing sets of them.
class ImageFeatures {
 public:
  virtual ~ImageFeatures() = default;
  virtual std::string name() const = 0;  ///< stands in each protocol
  virtual int64_t features() const = 0;  ///< columns of the features
  virtual int64_t classes() const = 0;   ///< columns of the logits
  /// images N x H x W x C -> features N x features(), logits N x classes(). Waits for the device.
  virtual void compute(const PixelValues& images, int64_t n, const Features& shape, float* features,
                       float* logits) = 0;
};

}  // namespace ebm
