// SPDX-License-Identifier: MIT
#include "plot/image_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace ebm {
namespace {

constexpr int64_t gap = 2;            // pixels between images, and around them
constexpr int64_t least_height = 64;  // of an image on the page
constexpr Rgb white{255, 255, 255}, magenta{255, 0, 255};

Rgb colour_of(std::span<const float> pixel) {
  if (std::any_of(pixel.begin(), pixel.end(), [](float v) { return std::isnan(v); })) return magenta;
  if (pixel.size() == 1) return {grey_level(pixel[0]), grey_level(pixel[0]), grey_level(pixel[0])};
  return {grey_level(pixel[0]), grey_level(pixel[1]), grey_level(pixel[2])};
}

void fill_square(Image& page, int64_t left, int64_t top, int64_t side, Rgb colour) {
  for (int64_t y = top; y < top + side; ++y) {
    uint8_t* to = page.rgb.data() + 3 * (y * page.width + left);
    for (int64_t x = 0; x < side; ++x) {
      for (const uint8_t channel : {colour.red, colour.green, colour.blue}) *to++ = channel;
    }
  }
}

}  // namespace

uint8_t grey_level(float value) {
  return static_cast<uint8_t>(std::lround(127.5f * (std::clamp(value, -1.0f, 1.0f) + 1)));
}

Image image_grid(std::span<const float> images, const Features& shape, int64_t columns) {
  const int64_t size = shape.size();
  const int64_t count = size > 0 ? std::ssize(images) / size : 0;
  if ((shape.channels != 1 && shape.channels != 3) || columns < 1 || count < 1 ||
      count * size != std::ssize(images)) {
    throw Error(
        fmt::format("a grid of {} columns from {} numbers as images of {}; give whole images of 1 or 3 "
                    "channels",
                    columns, images.size(), to_string(shape)));
  }
  const int64_t zoom = std::max<int64_t>(1, (least_height + shape.height - 1) / shape.height);
  const int64_t step_x = zoom * shape.width + gap, step_y = zoom * shape.height + gap;
  const int64_t rows = (count + columns - 1) / columns;
  Image page = Image::filled(std::min(count, columns) * step_x + gap, rows * step_y + gap, white);
  const float* pixel = images.data();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t left = i % columns * step_x + gap, top = i / columns * step_y + gap;
    for (int64_t y = 0; y < shape.height; ++y) {
      for (int64_t x = 0; x < shape.width; ++x, pixel += shape.channels) {
        fill_square(page, left + x * zoom, top + y * zoom, zoom,
                    colour_of({pixel, static_cast<size_t>(shape.channels)}));
      }
    }
  }
  return page;
}

}  // namespace ebm
