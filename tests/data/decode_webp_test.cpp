// SPDX-License-Identifier: MIT
// WebP with transparency, and animations.
#include "data/decode_image.h"
#include "data/encoded_pictures.h"
#include "data/pictures.h"

namespace ebm::test {
namespace {

Bytes rgb_of(const Bytes& webp) {
  return decode_image(webp, "a.webp").rgb;
}

// The pictures' pixels by Pillow's alpha_composite with white.
const Bytes over_white_by_pillow{255, 127, 127, 0,   255, 0,  255, 255, 255,
                                 194, 196, 199, 212, 133, 94, 1,   2,   3};

TEST(DecodeWebpTest, TransparencyLiesOverWhite) {
  EXPECT_EQ(rgb_of(from_hex(rgba_webp)), over_white_by_pillow);
  EXPECT_EQ(rgb_of(from_hex(lossy_rgba_webp)),
            (Bytes{164, 174, 127, 150, 165, 85, 255, 255, 255, 195, 200, 191, 154, 166, 104, 4, 11, 0}));
}

TEST(DecodeWebpTest, AnAnimationIsItsFirstFrame) {
  const Image image = decode_image(from_hex(animated_webp), "a.webp");
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.rgb, over_white_by_pillow);
}

TEST(DecodeWebpTest, CutPicturesAreErrors) {
  for (const char* digits : {rgba_webp, lossy_rgba_webp, animated_webp}) {
    const Bytes whole = from_hex(digits);
    for (std::ptrdiff_t cut = 2; cut < std::ssize(whole) - 4; ++cut) {
      EXPECT_HAS(error_of([&] { rgb_of({whole.begin(), whole.end() - cut}); }), "'a.webp': ");
    }
  }
}

TEST(DecodeWebpTest, SurvivesChangedBytes) {
  constexpr std::ptrdiff_t canvas = 24;  // where VP8X has the sizes
  expect_to_survive_changes(from_hex(lossy_rgba_webp), canvas, canvas + 6);
  expect_to_survive_changes(from_hex(animated_webp), canvas, canvas + 6);
}

}  // namespace
}  // namespace ebm::test
