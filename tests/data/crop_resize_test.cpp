// SPDX-License-Identifier: MIT
#include "data/crop_resize.h"

#include "data/pictures.h"

namespace ebm::test {
namespace {

/// The header's formula in two dimensions at once: pixel (i, j) is the mean of all pixels under the product
/// of two triangles.
Bytes naive_resize(const Image& square, int64_t side) {
  const auto edge = square.width;
  const double scale = static_cast<double>(edge) / static_cast<double>(side), s = std::max(1.0, scale);
  const auto triangle = [&](int64_t in, int64_t out) {
    return std::max(
        0.0, 1 - std::abs(static_cast<double>(in) + 0.5 - (static_cast<double>(out) + 0.5) * scale) / s);
  };
  Bytes pixels;
  for (int64_t i = 0; i < side; ++i) {
    for (int64_t j = 0; j < side; ++j) {
      for (int64_t c = 0; c < 3; ++c) {
        double sum = 0, weights = 0;
        for (int64_t y = 0; y < edge; ++y) {
          for (int64_t x = 0; x < edge; ++x) {
            const double weight = triangle(y, i) * triangle(x, j);
            sum += weight * square.rgb[static_cast<size_t>(3 * (y * edge + x) + c)];
            weights += weight;
          }
        }
        pixels.push_back(static_cast<uint8_t>(std::lround(sum / weights)));
      }
    }
  }
  return pixels;
}

TEST(CropResizeTest, FollowsItsFormulaUpAndDown) {
  for (const int64_t edge : {1, 2, 7, 16, 23}) {
    const Image square = noise_image(edge, edge, static_cast<uint32_t>(edge));
    for (const int64_t side : {1, 3, 7, 16, 31}) {
      // 1: where the exact value lies half-way between two integers, float32 may round to either
      EXPECT_LE(largest_difference(crop_and_resize(square, 0, side), naive_resize(square, side)), 1)
          << edge << " to " << side;
    }
  }
}

TEST(CropResizeTest, KeepsASquareOfTheRightSizeAsItIs) {
  const Image square = noise_image(24, 24, 1);
  EXPECT_EQ(crop_and_resize(square, 0, 24), square.rgb);
}

TEST(CropResizeTest, CropsTheLongerEdgeFromTheOffsetOn) {
  const Image wide = noise_image(9, 4, 2), tall = noise_image(4, 9, 3);
  EXPECT_EQ(crop_room(wide), 5);
  EXPECT_EQ(crop_room(tall), 5);
  EXPECT_EQ(crop_room(noise_image(4, 4, 4)), 0);
  for (const int64_t offset : {0, 2, 5}) {
    const Bytes from_wide = crop_and_resize(wide, offset, 4), from_tall = crop_and_resize(tall, offset, 4);
    for (int64_t y = 0; y < 4; ++y) {
      for (int64_t x = 0; x < 4; ++x) {
        const auto at = static_cast<size_t>(3 * (4 * y + x));
        EXPECT_EQ((Rgb{from_wide[at], from_wide[at + 1], from_wide[at + 2]}), wide.at(x + offset, y));
        EXPECT_EQ((Rgb{from_tall[at], from_tall[at + 1], from_tall[at + 2]}), tall.at(x, y + offset));
      }
    }
  }
}

TEST(CropResizeTest, CentresLikeTorchvision) {  // int(round(room / 2)), which rounds halves to even
  const std::vector<int64_t> offsets{0, 0, 1, 2, 2, 2, 3, 4};
  for (int64_t room = 0; room < std::ssize(offsets); ++room) {
    EXPECT_EQ(centre_offset(noise_image(4 + room, 4, 1)), offsets[static_cast<size_t>(room)]) << room;
  }
}

}  // namespace
}  // namespace ebm::test
