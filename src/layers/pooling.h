// SPDX-License-Identifier: MIT
// Layers that add up the pixels of windows, or repeat a pixel over one. They are linear and have no
// parameters (affine.h has the maps); the transpose of one kind is the other.
#pragma once

#include "layers/affine.h"

namespace ebm {

/// y = scale * the sum over each window of x. Windows tile the image; what is left at the far ends of one
/// that is no multiple of the window is dropped.
class WindowSumLayer : public AffineLayer {
 protected:
  WindowSumLayer(const Features& input, const Extent& window, float scale);
  void apply(Trace& trace, ConstView x, View y) const override;
  void apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const override;
  void add_weight_gradient(Trace&, ConstView, ConstView, Write) const override {}

 private:
  Tiling tiling_;
  float scale_;
};

/// AvgPool2d(window).
class AveragePool final : public WindowSumLayer {
 public:
  /// Throws Error if the image is smaller than the window.
  AveragePool(const Features& input, const Extent& window)
      : WindowSumLayer(input, window, 1 / static_cast<float>(window.height * window.width)) {}
};

/// The sum over all pixels of each channel.
class SpatialSum final : public WindowSumLayer {
 public:
  explicit SpatialSum(const Features& input) : WindowSumLayer(input, input.plane(), 1) {}
};

/// Upsample(scale_factor, mode='nearest'): each pixel becomes a window of pixels.
class Upsample final : public AffineLayer {
 public:
  Upsample(const Features& input, const Extent& window);

 protected:
  void apply(Trace& trace, ConstView x, View y) const override;
  void apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const override;
  void add_weight_gradient(Trace&, ConstView, ConstView, Write) const override {}

 private:
  Tiling tiling_;
};

}  // namespace ebm
