// SPDX-License-Identifier: MIT
#include "metrics/shape_templates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/error.h"
#include "kernels/formulas/shapes.h"
#include "metrics/mode_counting.h"
#include "metrics/row_pairs.h"

namespace ebm {

namespace {

constexpr int64_t places = 3, sizes = 2, turns = 2;  // poses along each axis of the grid
constexpr int64_t poses = places * places * sizes * turns;
constexpr int64_t min_side = 12;  // pixels, after averaging

ShapePose pose_of(int64_t number) {
  const auto middle = [](int64_t i, int64_t of) {
    return static_cast<float>(2 * i + 1) / static_cast<float>(2 * of);
  };
  const float u[] = {middle(number % places, places), middle(number / places % places, places),
                     middle(number / (places * places) % sizes, sizes),
                     middle(number / (places * places * sizes), turns)};
  return shape_pose(u);
}

/// The means of block x block pixels of a plane: appended to `means`.
void add_means(std::vector<float>& means, int64_t side, int64_t block, const auto& pixel) {
  for (int64_t top = 0; top < side; top += block) {
    for (int64_t left = 0; left < side; left += block) {
      float sum = 0;
      for (int64_t i = 0; i < block * block; ++i) sum += pixel(top + i / block, left + i % block);
      means.push_back(sum / static_cast<float>(block * block));
    }
  }
}

}  // namespace

ShapeTemplates::ShapeTemplates(const Features& shape)
    : shape_(shape), block_(std::max<int64_t>(1, shape.height / 14)) {
  const int64_t side = shape.height;
  if (shape.width != side || side / block_ < min_side || side % block_ != 0)
    throw Error("no templates of shapes are made for images of " + to_string(shape) +
                "; give squares of 28, 32 or 64 pixels a side");
  pixels_ = side / block_ * (side / block_);
  for (int64_t kind = 0; kind < shape_kinds; ++kind) {
    for (int64_t pose = 0; pose < poses; ++pose) {
      add_means(coverages_, side, block_, [&](int64_t row, int64_t column) {
        return shape_coverage(kind, pose_of(pose), side, row, column);
      });
      Sums sums{};
      for (const double m : std::span(coverages_).last(static_cast<size_t>(pixels_))) {
        sums.mm += m * m;
        sums.mn += m * (1 - m);
        sums.nn += (1 - m) * (1 - m);
      }
      sums_.push_back(sums);
    }
  }
}

/// N C planes of pixels_ numbers each.
std::vector<float> ShapeTemplates::averaged(std::span<const float> images) const {
  const int64_t channels = shape_.channels, count = std::ssize(images) / shape_.size();
  std::vector<float> planes;
  planes.reserve(static_cast<size_t>(count * channels * pixels_));
  for (int64_t i = 0; i < count; ++i) {
    const float* const image = images.data() + i * shape_.size();
    for (int64_t c = 0; c < channels; ++c) {
      add_means(planes, shape_.height, block_, [&](int64_t row, int64_t column) {
        return image[(row * shape_.width + column) * channels + c];
      });
    }
  }
  return planes;
}

/// `products`: <x_c, m> of each channel c of an image, C x templates.
NearestTemplate ShapeTemplates::nearest_of(std::span<const double> products,
                                           std::span<const float> planes) const {
  const size_t channels = static_cast<size_t>(shape_.channels), templates = sums_.size();
  double square = 0, total = 0;  // sum x^2, sum x
  for (const double x : planes) {
    square += x * x;
    total += x;
  }
  NearestTemplate best{.mode = 0, .distance = std::numeric_limits<double>::quiet_NaN()};
  if (!std::isfinite(square)) return best;
  const int64_t colours = shape_colours(shape_.channels);
  double least = std::numeric_limits<double>::infinity();
  for (int64_t colour = 0; colour < colours; ++colour) {
    std::vector<double> c(channels);
    double c_sum = 0, c_square = 0;
    for (size_t k = 0; k < channels; ++k) {
      c[k] = static_cast<double>(shape_colour(colour, static_cast<int64_t>(k)));
      c_sum += c[k];
      c_square += c[k] * c[k];
    }
    for (size_t t = 0; t < templates; ++t) {
      double xm = 0, xcm = 0;  // sum x m, sum x c m
      for (size_t k = 0; k < channels; ++k) {
        const double product = products[k * templates + t];
        xm += product;
        xcm += c[k] * product;
      }
      const Sums& of = sums_[t];
      // D^2 = square - 2 <x, c m> + c^2 m^2 - 2 g b + g^2 C n^2, b = <x - c m, n>
      const double b = total - xm - c_sum * of.mn, nn = static_cast<double>(channels) * of.nn;
      const double range = static_cast<double>(shape_ground_range);
      const double g = std::clamp(b / nn, -range, range);
      const double d = square - 2 * xcm + c_square * of.mm - 2 * g * b + g * g * nn;
      if (!(d < least)) continue;
      least = d;
      const double contrast = of.mm * (c_square - 2 * g * c_sum + g * g * static_cast<double>(channels));
      best = {.mode = static_cast<int64_t>(t) / poses * colours + colour,
              .distance = std::sqrt(std::max(d, 0.0) / contrast)};
    }
  }
  return best;
}

std::vector<NearestTemplate> ShapeTemplates::nearest(std::span<const float> images) const {
  if (std::ssize(images) % shape_.size() != 0)
    throw Error(std::to_string(images.size()) + " numbers are no images of " + to_string(shape_));
  const std::vector<float> planes = averaged(images);
  const auto count = static_cast<size_t>(std::ssize(images) / shape_.size());
  const auto channels = static_cast<size_t>(shape_.channels), each = channels * static_cast<size_t>(pixels_);
  std::vector<double> products(count * channels * sums_.size());
  row_products<float, float>(planes, coverages_, pixels_, products);
  std::vector<NearestTemplate> found;
  for (size_t i = 0; i < count; ++i) {
    const size_t of_image = channels * sums_.size();
    found.push_back(nearest_of(std::span(products).subspan(i * of_image, of_image),
                               std::span(planes).subspan(i * each, each)));
  }
  return found;
}

ShapeCoverage ShapeTemplates::coverage(std::span<const float> images) const {
  if (images.empty()) throw Error("modes of no images");
  const int64_t modes = shape_modes(shape_.channels);
  std::vector<int64_t> near;
  const std::vector<NearestTemplate> all = nearest(images);
  for (const NearestTemplate& found : all)
    if (found.distance < 0.5) near.push_back(found.mode);
  const double share = static_cast<double>(near.size()) / static_cast<double>(all.size());
  if (near.empty()) return {.modes = 0, .kl = std::log(static_cast<double>(modes)), .high_quality = 0};
  const CountedModes counted = uniform_modes(near, {.channels = 1, .classes = modes});
  return {.modes = counted.modes, .kl = counted.kl, .high_quality = share};
}

}  // namespace ebm
