// SPDX-License-Identifier: MIT
#include "plot/image_grid.h"

#include <cmath>
#include <limits>

#include "../io/io_fixture.h"
#include "reference/random.h"

namespace ebm {
namespace {

using test::error_of;

constexpr Rgb white{255, 255, 255}, magenta{255, 0, 255};

std::vector<float> random_images(int64_t numbers) {
  reference::Random random(3);
  std::vector<float> values;
  for (int64_t i = 0; i < numbers; ++i) values.push_back(static_cast<float>(random.uniform(-1, 1)));
  return values;
}

uint8_t byte_of(float value) {
  return static_cast<uint8_t>(std::floor((static_cast<double>(value) + 1) / 2 * 255 + 0.5));
}

/// Which pixel of which column (or row) a place on the page shows; -1 in a gap.
struct Cell {
  int64_t number = -1, pixel = -1;
};
Cell cell_at(int64_t place, int64_t extent, int64_t zoom) {
  const int64_t from_first = place - 2, step = extent * zoom + 2;
  if (from_first < 0 || from_first % step >= extent * zoom) return {};
  return {.number = from_first / step, .pixel = from_first % step / zoom};
}

/// Every pixel of the page of `images` in rows of `columns`, each of their pixels `zoom` wide.
void expect_page(const std::vector<float>& images, const Features& shape, int64_t columns, int64_t zoom) {
  const Image page = image_grid(images, shape, columns);
  const int64_t count = std::ssize(images) / shape.size(), across = std::min(count, columns),
                down = (count + columns - 1) / columns;
  ASSERT_EQ(page.width, across * (zoom * shape.width + 2) + 2);
  ASSERT_EQ(page.height, down * (zoom * shape.height + 2) + 2);
  for (int64_t y = 0; y < page.height; ++y) {
    for (int64_t x = 0; x < page.width; ++x) {
      const Cell column = cell_at(x, shape.width, zoom), row = cell_at(y, shape.height, zoom);
      const int64_t image = row.number * columns + column.number;
      Rgb expected = white;
      if (column.number >= 0 && row.number >= 0 && image < count) {
        const float* pixel =
            images.data() + image * shape.size() + (row.pixel * shape.width + column.pixel) * shape.channels;
        const auto channel = [&](int64_t c) { return byte_of(pixel[shape.channels == 1 ? 0 : c]); };
        expected = {channel(0), channel(1), channel(2)};
      }
      ASSERT_EQ(page.at(x, y), expected) << x << ", " << y;
    }
  }
}

TEST(ImageGridTest, EveryPixelIsInItsPlace) {
  const Features rgb{.height = 20, .width = 13, .channels = 3}, grey{.height = 33, .width = 5, .channels = 1};
  expect_page(random_images(5 * rgb.size()), rgb, 3, 4);
  expect_page(random_images(4 * rgb.size()), rgb, 2, 4);
  expect_page(random_images(3 * grey.size()), grey, 7, 2);
}

TEST(ImageGridTest, ImagesOf64PixelsOrMoreKeepTheirSize) {
  for (const auto& [height, zoom] : {std::pair<int64_t, int64_t>{1, 64}, {63, 2}, {64, 1}, {70, 1}}) {
    const Features shape{.height = height, .width = 3, .channels = 1};
    expect_page(random_images(2 * shape.size()), shape, 1, zoom);
  }
}

TEST(ImageGridTest, ValuesBeyondAreClippedAndNanIsMagenta) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto colour = [](const std::vector<float>& pixel) {
    return image_grid(pixel, {.height = 1, .width = 1, .channels = std::ssize(pixel)}, 1).at(30, 30);
  };
  EXPECT_EQ(colour({-1, 0, 1}), (Rgb{0, 128, 255}));
  EXPECT_EQ(colour({-1.001f, 1.001f, -7e9f}), (Rgb{0, 255, 0}));
  EXPECT_EQ(colour({inf, -inf, 0.5f}), (Rgb{255, 0, 191}));
  EXPECT_EQ(colour({-0.5f}), (Rgb{64, 64, 64}));
  EXPECT_EQ(colour({nan}), magenta);
  for (size_t channel = 0; channel < 3; ++channel) {
    std::vector<float> pixel{-1, 0, 1};
    pixel[channel] = nan;
    EXPECT_EQ(colour(pixel), magenta);
  }
}

TEST(ImageGridTest, WhatMakesNoSenseIsRefused) {
  const Features rgb{.height = 2, .width = 3, .channels = 3};
  const auto error = [](int64_t numbers, const Features& shape, int64_t columns) {
    return error_of(
        [&] { (void)image_grid(std::vector<float>(static_cast<size_t>(numbers)), shape, columns); });
  };
  EXPECT_EQ(error(36, rgb, 1), "(no Error)");
  EXPECT_HAS(error(36, rgb, 0), "a grid of 0 columns");
  EXPECT_HAS(error(36, rgb, -1), "a grid of -1 columns");
  EXPECT_HAS(error(0, rgb, 1), "from 0 numbers as images of 2x3x3; give whole images");
  EXPECT_HAS(error(37, rgb, 1), "from 37 numbers");
  EXPECT_HAS(error(36, {.height = 2, .width = 3, .channels = 2}, 1), "images of 2x3x2");
  EXPECT_HAS(error(36, {.height = 0, .width = 3, .channels = 3}, 1), "images of 0x3x3");
  EXPECT_HAS(error(18 * 9000, rgb, 9000), "1..32767");
}

}  // namespace
}  // namespace ebm
