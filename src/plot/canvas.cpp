// SPDX-License-Identifier: MIT
#include "plot/canvas.h"

#include <algorithm>
#include <cmath>

namespace ebm {

Canvas::Canvas(int64_t width, int64_t height, Rgb background)
    : image_(Image::filled(width, height, background)) {
  clip_nothing();
}

void Canvas::clip(int64_t x, int64_t y, int64_t width, int64_t height) {
  left_ = std::clamp<int64_t>(x, 0, image_.width);
  top_ = std::clamp<int64_t>(y, 0, image_.height);
  right_ = std::clamp<int64_t>(x + width, left_, image_.width);
  bottom_ = std::clamp<int64_t>(y + height, top_, image_.height);
}

void Canvas::clip_nothing() {
  clip(0, 0, image_.width, image_.height);
}

void Canvas::blend(int64_t x, int64_t y, Rgb colour, double alpha) {
  if (x < left_ || x >= right_ || y < top_ || y >= bottom_) return;
  uint8_t* pixel = image_.rgb.data() + 3 * (y * image_.width + x);
  const uint8_t target[3] = {colour.red, colour.green, colour.blue};
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<uint8_t>(std::lround(pixel[c] + alpha * (target[c] - pixel[c])));
  }
}

void Canvas::fill(int64_t x, int64_t y, int64_t width, int64_t height, Rgb colour) {
  for (int64_t j = std::max(y, top_); j < std::min(y + height, bottom_); ++j) {
    for (int64_t i = std::max(x, left_); i < std::min(x + width, right_); ++i) blend(i, j, colour, 1.0);
  }
}

void Canvas::disk(double x, double y, double radius, Rgb colour, double alpha) {
  const auto from = [&](double c) { return static_cast<int64_t>(std::floor(c - radius - 1)); };
  const auto to = [&](double c) { return static_cast<int64_t>(std::ceil(c + radius + 1)); };
  for (int64_t j = std::max(from(y), top_); j < std::min(to(y), bottom_); ++j) {
    for (int64_t i = std::max(from(x), left_); i < std::min(to(x), right_); ++i) {
      // The covered share of a pixel, by the distance of its centre from the rim.
      const double distance = std::hypot(static_cast<double>(i) + 0.5 - x, static_cast<double>(j) + 0.5 - y);
      blend(i, j, colour, alpha * std::clamp(radius - distance + 0.5, 0.0, 1.0));
    }
  }
}

}  // namespace ebm
