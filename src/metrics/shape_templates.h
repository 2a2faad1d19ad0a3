// SPDX-License-Identifier: MIT
// Which mode an image of shapes is: that of the nearest template (docs/method.md, "Shapes"). The templates are the
// data's own images (kernels/formulas/shapes.h) at every mode and poses on a grid, all seen as means of 2 x 2 pixels
// (4 x 4 of 64 x 64). With the coverage m of a template's shape in each such pixel, n = 1 - m, and its colour
// c, the square of the distance of an image x is
//
//   D^2 = min over g of sum over pixels and channels of (x - c m - g n)^2,
//
// g the level of the ground, within the data's range. A template without its shape, a ground alone, is at
//
//   K^2 = sum over pixels and channels of m^2 (c - g)^2
//
// from it. An image is near its nearest template when D < K / 2. Noise and an empty ground are near none.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/view.h"

namespace ebm {

struct NearestTemplate {
  int64_t mode;
  double distance;  ///< D / K
};

/// How samples cover the modes of shapes: modes with a sample that is near, the share of samples that are
/// near a template (high_quality), and of these KL = sum over modes of q ln(q modes), q their share in a
/// mode, in nats; ln(modes), which one mode alone gives, where no sample is near.
struct ShapeCoverage {
  int64_t modes;
  double kl, high_quality;
};

class ShapeTemplates {
 public:
  /// For images of this shape, H = W, in [-1, 1]. Throws Error for others, and for ones too small to tell
  /// shapes apart.
  explicit ShapeTemplates(const Features& shape);

  /// Of each image of N x H x W x C; one with a number that is not finite has a distance of NaN, and is near none.
  /// Throws Error when these are no images of the shape.
  std::vector<NearestTemplate> nearest(std::span<const float> images) const;
  /// Of N >= 1 images.
  ShapeCoverage coverage(std::span<const float> images) const;

 private:
  /// The sums over the pixels of a template that D hangs on.
  struct Sums {
    double mm, mn, nn;
  };

  std::vector<float> averaged(std::span<const float> images) const;
  NearestTemplate nearest_of(std::span<const double> products, std::span<const float> planes) const;

  Features shape_;
  int64_t block_, pixels_;        // side of the squares that are averaged, and their number
  std::vector<float> coverages_;  // templates x pixels
  std::vector<Sums> sums_;        // of each template
};

}  // namespace ebm
