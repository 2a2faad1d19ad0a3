// SPDX-License-Identifier: MIT
#include "data/decode_image.h"

#include "data/encoded_pictures.h"
#include "data/pictures.h"
#include "io/png_parts.h"

namespace ebm::test {
namespace {

class DecodeImageTest : public IoTest {};

TEST_F(DecodeImageTest, ReadsPngAndWebpExactlyAndJpegNearly) {
  const Image noise = noise_image(13, 7, 1), smooth = smooth_image(37, 21, 2);
  const Image from_png = decode_image(encode_png(noise, *this / "a.png"), "a");
  EXPECT_EQ(from_png.width, 13);
  EXPECT_EQ(from_png.height, 7);
  EXPECT_EQ(from_png.rgb, noise.rgb);
  EXPECT_EQ(decode_image(encode_webp(noise), "b").rgb, noise.rgb);
  const Image from_jpeg = decode_image(encode_jpeg(smooth), "c");
  EXPECT_EQ(from_jpeg.width, 37);
  EXPECT_EQ(from_jpeg.height, 21);
  EXPECT_LT(largest_difference(from_jpeg.rgb, smooth.rgb), 8);
}

TEST_F(DecodeImageTest, MakesGreyPicturesRgb) {
  const Image smooth = smooth_image(16, 16, 3);
  const Image grey = decode_image(encode_jpeg(smooth, 95, true), "grey");
  for (size_t i = 0; i < grey.rgb.size(); i += 3) {
    EXPECT_EQ(grey.rgb[i], grey.rgb[i + 1]);
    EXPECT_EQ(grey.rgb[i], grey.rgb[i + 2]);
    EXPECT_NEAR(grey.rgb[i], smooth.rgb[i], 8);
  }
}

TEST_F(DecodeImageTest, SaysWhatIsWrong) {
  const auto error = [](const Bytes& bytes) { return error_of([&] { decode_image(bytes, "cat.jpg"); }); };
  EXPECT_HAS(error({}), "'cat.jpg': it is neither JPEG nor PNG nor WebP");
  EXPECT_HAS(error({'G', 'I', 'F', '8'}), "it is neither JPEG nor PNG nor WebP");
}

TEST_F(DecodeImageTest, NamesTheLimitOfPixelsInEachFormat) {
  const auto error = [](const Bytes& bytes) { return error_of([&] { decode_image(bytes, "cat"); }); };
  const std::string expected =
      "'cat': it is 9000 x 9000 pixels large, and at most 64 million pixels are read";
  Bytes jpeg = encode_jpeg(smooth_image(64, 48, 4));
  // The frame header FF C0 says: length (2 bytes), precision, height (2), width (2).
  const Bytes sizes{9000 >> 8, 9000 & 0xFF, 9000 >> 8, 9000 & 0xFF};
  std::copy(sizes.begin(), sizes.end(), jpeg.begin() + place_of(jpeg, {0xFF, 0xC0}) + 5);
  EXPECT_HAS(error(jpeg), expected);
  EXPECT_HAS(error(file_of({.width = 9000, .height = 9000})), expected);
  // RIFF, its size, WEBPVP8L, its size, 2F, then 14 bits of width - 1, 14 of height - 1, alpha, version.
  Bytes webp = encode_webp(smooth_image(64, 48, 4));
  const uint32_t header = 8999 | 8999 << 14;
  for (int i = 0; i < 4; ++i) webp[static_cast<size_t>(21 + i)] = static_cast<uint8_t>(header >> 8 * i);
  EXPECT_HAS(error(webp), expected);
  // The same of an animation: VP8X has 24 bits of each.
  Bytes animation = from_hex(animated_webp);
  for (const size_t at : {24, 27}) {
    animation[at] = 8999 & 0xFF;
    animation[at + 1] = 8999 >> 8;
  }
  EXPECT_HAS(error(animation), expected);
}

TEST_F(DecodeImageTest, SurvivesDamagedPictures) {
  const Image image = smooth_image(40, 30, 5);
  const std::vector<Bytes> pictures{encode_jpeg(image), encode_webp(image),
                                    encode_png(image, *this / "a.png")};
  for (const Bytes& whole : pictures) {
    write_quickly(*this / "a.picture", whole);
    expect_to_survive(*this / "a.picture", Flipped::anything, [&] {
      Dataset all;
      all.images = decode_image(read_file(*this / "a.picture"), "a.picture").rgb;
      return all;
    });
  }
}

}  // namespace
}  // namespace ebm::test
