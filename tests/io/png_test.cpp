// SPDX-License-Identifier: MIT
// Reading PNG: each kind of picture. Expected values are those of Pillow's convert("RGB") where that keeps
// all that is stored, and of the specification's arithmetic (16 bits, alpha) where it does not.
#include "io/png.h"

#include <array>
#include <cmath>

#include "io_fixture.h"
#include "png_parts.h"

namespace ebm::test {
namespace {

PngBytes rgb_of(const PngParts& parts) {
  return decode_png(file_of(parts), "a.png").rgb;
}

std::string error_of_png(const PngBytes& bytes) {
  return error_of([&] { (void)decode_png(bytes, "a.png"); });
}

PngBytes grey(const PngBytes& values) {
  PngBytes rgb;
  for (const uint8_t value : values) rgb.insert(rgb.end(), 3, value);
  return rgb;
}

/// 16-bit samples in the order of a PNG file.
PngBytes words(const std::vector<int>& samples) {
  PngBytes bytes;
  for (const int sample : samples) {
    bytes.push_back(static_cast<uint8_t>(sample >> 8));
    bytes.push_back(static_cast<uint8_t>(sample & 0xFF));
  }
  return bytes;
}

TEST(PngTest, SixteenBitsBecomeTheNearestOfEight) {
  const std::vector<int> samples{0,      0x80,   0x81,   0x0101, 0x4040, 0x7FFF,
                                 0x8080, 0x80FF, 0x8100, 0x8101, 0xFF7E, 0xFFFF};
  const PngBytes expected{0, 0, 1, 1, 64, 127, 128, 128, 128, 129, 254, 255};
  PngBytes in_grey, in_rgb, in_grey_alpha, in_rgba;
  const auto add = [](PngBytes& to, const std::vector<int>& pixel) { append_all(to, words(pixel)); };
  for (const int v : samples) {
    add(in_grey, {v});
    add(in_rgb, {v, v, v});
    add(in_grey_alpha, {v, 0xFFFF});
    add(in_rgba, {v, v, v, 0xFFFF});
  }
  const auto read = [&](ColourType type, const PngBytes& row) {
    return rgb_of({.width = 12, .depth = 16, .type = type, .rows = {row}});
  };
  EXPECT_EQ(read(png_grey, in_grey), grey(expected));
  EXPECT_EQ(read(png_rgb, in_rgb), grey(expected));
  EXPECT_EQ(read(png_grey_alpha, in_grey_alpha), grey(expected));
  EXPECT_EQ(read(png_rgba, in_rgba), grey(expected));
}

TEST(PngTest, WhatIsSaidOfColoursChangesNoByte) {
  const auto gamma = [](uint32_t value) {
    PngBytes data;
    append_big_endian(data, value);
    return chunk("gAMA", data);
  };
  PngBytes chromaticities;  // of a wide gamut, times 100000
  for (const uint32_t v : {31270u, 32900u, 73470u, 26530u, 11500u, 82640u, 15700u, 1800u}) {
    append_big_endian(chromaticities, v);
  }
  const std::vector<std::vector<PngBytes>> spaces{{},
                                                  {gamma(100000)},
                                                  {gamma(45455)},
                                                  {gamma(0)},
                                                  {chunk("sRGB", {0})},
                                                  {gamma(20000), chunk("cHRM", chromaticities)},
                                                  {chunk("iCCP", {'p', 0, 0, 1, 2, 3})},
                                                  {chunk("sBIT", {5, 5, 5})},
                                                  {chunk("bKGD", {0, 0, 0, 0, 0, 0})}};
  for (const auto& space : spaces) {
    EXPECT_EQ(rgb_of({.width = 2, .rows = {{10, 20, 30, 186, 128, 1}}, .before = space}),
              (PngBytes{10, 20, 30, 186, 128, 1}));
    EXPECT_EQ(rgb_of({.depth = 16, .rows = {words({0x8080, 0x2020, 0xF0F0})}, .before = space}),
              (PngBytes{128, 32, 240}));
    EXPECT_EQ(rgb_of({.type = png_rgba, .rows = {{255, 0, 0, 128}}, .before = space}),
              (PngBytes{255, 127, 127}));
  }
}

TEST(PngTest, AlphaLiesOverWhiteInTheStoredValues) {
  EXPECT_EQ(rgb_of({.width = 4,
                    .type = png_rgba,
                    .rows = {{255, 0, 0, 128, 0, 0, 255, 0, 10, 20, 30, 64, 200, 100, 50, 200}}}),
            (PngBytes{255, 127, 127, 255, 255, 255, 194, 196, 199, 212, 133, 94}));
  EXPECT_EQ(rgb_of({.width = 3, .type = png_grey_alpha, .rows = {{0, 128, 100, 255, 100, 1}}}),
            grey({127, 100, 254}));
  EXPECT_EQ(rgb_of({.depth = 16, .type = png_rgba, .rows = {words({0xFFFF, 0, 0, 0x8080})}}),
            (PngBytes{255, 127, 127}));
  // Every value at every alpha.
  PngParts all{.width = 256, .height = 256, .type = png_grey_alpha};
  PngBytes expected;
  for (int alpha = 0; alpha < 256; ++alpha) {
    PngBytes row;
    for (int value = 0; value < 256; ++value) {
      row.push_back(static_cast<uint8_t>(value));
      row.push_back(static_cast<uint8_t>(alpha));
      expected.push_back(static_cast<uint8_t>(255 - alpha + std::lround(value * alpha / 255.0)));
    }
    all.rows.push_back(row);
  }
  EXPECT_EQ(rgb_of(all), grey(expected));
  EXPECT_HAS(error_of([] { (void)over_white(2, 1, {1, 2, 3, 4}); }), "4 bytes for a picture of 2 x 1 pixels");
}

TEST(PngTest, FewerBitsAreSpreadAndPalettesLookedUp) {
  EXPECT_EQ(rgb_of({.width = 4, .depth = 1, .type = png_grey, .rows = {{0b0110'0000}}}),
            grey({0, 255, 255, 0}));
  EXPECT_EQ(rgb_of({.width = 4, .depth = 2, .type = png_grey, .rows = {{0b0001'1011}}}),
            grey({0, 85, 170, 255}));
  EXPECT_EQ(rgb_of({.width = 3, .depth = 4, .type = png_grey, .rows = {{0x01, 0xF0}}}), grey({0, 17, 255}));
  const PngBytes palette = chunk("PLTE", {1, 2, 3, 40, 50, 60});
  const PngBytes colours{1, 2, 3, 40, 50, 60};
  for (const auto& [depth, row] : {std::pair{1, 0x40}, {2, 0x10}, {4, 0x01}}) {
    EXPECT_EQ(rgb_of({.width = 2,
                      .depth = static_cast<uint8_t>(depth),
                      .type = png_palette,
                      .rows = {{static_cast<uint8_t>(row)}},
                      .before = {palette}}),
              colours)
        << depth;
  }
  // What a palette does not have is black.
  EXPECT_EQ(rgb_of({.width = 3, .type = png_palette, .rows = {{0, 1, 200}}, .before = {palette}}),
            (PngBytes{1, 2, 3, 40, 50, 60, 0, 0, 0}));
  EXPECT_HAS(error_of_png(file_of({.type = png_palette, .rows = {{0}}})),
             "'a.png' as PNG: IDAT: Missing PLTE");
}

TEST(PngTest, TransparentColoursAreWhite) {
  EXPECT_EQ(rgb_of({.width = 3,
                    .type = png_palette,
                    .rows = {{0, 1, 2}},
                    .before = {chunk("PLTE", {255, 0, 0, 9, 9, 9, 7, 7, 7}), chunk("tRNS", {128, 0})}}),
            (PngBytes{255, 127, 127, 255, 255, 255, 7, 7, 7}));
  EXPECT_EQ(
      rgb_of({.width = 2, .depth = 4, .type = png_grey, .rows = {{0x12}}, .before = {chunk("tRNS", {0, 1})}}),
      grey({255, 34}));
  EXPECT_EQ(rgb_of({.width = 2,
                    .type = png_rgb,
                    .rows = {{1, 2, 3, 1, 2, 4}},
                    .before = {chunk("tRNS", {0, 1, 0, 2, 0, 3})}}),
            (PngBytes{255, 255, 255, 1, 2, 4}));
  // All 16 bits count.
  EXPECT_EQ(rgb_of({.width = 2,
                    .depth = 16,
                    .type = png_grey,
                    .rows = {words({0x8080, 0x8081})},
                    .before = {chunk("tRNS", words({0x8080}))}}),
            grey({255, 128}));
}

TEST(PngTest, InterlacedPicturesAreTheSame) {
  struct Pass {
    uint32_t x, y, dx, dy;
  };
  constexpr std::array<Pass, 7> adam7{
      {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}};
  for (const ColourType type : {png_rgb, png_rgba, png_palette}) {
    const size_t channels = type == png_rgb ? 3 : type == png_rgba ? 4 : 1;
    PngParts straight{.width = 11, .height = 9, .type = type};
    if (type == png_palette)
      straight.before = {chunk("PLTE", PngBytes(768, 5)), chunk("tRNS", {0, 100, 200})};
    for (uint32_t y = 0; y < straight.height; ++y) {
      PngBytes row;
      for (uint32_t i = 0; i < straight.width * channels; ++i)
        row.push_back(static_cast<uint8_t>(y * 53 + i * 29));
      straight.rows.push_back(row);
    }
    PngParts interlaced = straight;
    interlaced.interlace = 1;
    interlaced.rows.clear();
    for (const Pass& pass : adam7) {
      for (uint32_t y = pass.y; y < straight.height; y += pass.dy) {
        PngBytes row;
        for (uint32_t x = pass.x; x < straight.width; x += pass.dx) {
          const auto pixel = straight.rows[y].begin() + static_cast<std::ptrdiff_t>(x * channels);
          row.insert(row.end(), pixel, pixel + static_cast<std::ptrdiff_t>(channels));
        }
        if (!row.empty()) interlaced.rows.push_back(row);
      }
    }
    EXPECT_EQ(rgb_of(interlaced), rgb_of(straight)) << int{type};
  }
}

TEST(PngTest, WhatDoesNotTouchThePixelsIsPassedOver) {
  const PngBytes pixel{10, 20, 30};
  const PngBytes text = chunk("tEXt", {'a', 0, 'b'});
  PngParts parts{.rows = {pixel}};
  parts.before = {text, chunk("abCd", {1, 2, 3}), chunk("gAMA", {1})};
  EXPECT_EQ(rgb_of(parts), pixel);
  parts.before = {};
  for (const std::vector<PngBytes>& after : {std::vector<PngBytes>{},
                                             {with_wrong_checksum(text)},
                                             {{1, 2, 3}},
                                             {chunk("IEND", {}), {'g', 'a', 'r', 'b', 'a', 'g', 'e'}}}) {
    parts.after = after;
    EXPECT_EQ(rgb_of(parts), pixel);
  }
}

TEST(PngTest, DamageBeforeTheLastPixelIsAnError) {
  const PngBytes text = chunk("tEXt", {'a', 0, 'b'});
  EXPECT_HAS(error_of_png(file_of({.rows = {{1, 2, 3}}, .before = {with_wrong_checksum(text)}})),
             "CRC error");
  const PngBytes whole = file_of({.rows = {{1, 2, 3}}, .after = {}});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_HAS(error_of_png({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
               "'a.png' as PNG: ");
  }
  PngBytes changed = whole;
  changed.back() ^= 1;
  EXPECT_HAS(error_of_png(changed), "CRC error");
  EXPECT_HAS(error_of_png(file_of({.height = 2, .rows = {{1, 2, 3}}})), "Not enough image data");
}

TEST(PngTest, TheLimitOfPixelsIsNamedAndTheOnlyOne) {
  const auto error_at = [](uint32_t width, uint32_t height) {
    return error_of_png(file_of({.width = width, .height = height, .type = png_grey}));
  };
  EXPECT_HAS(
      error_at(9000, 9000),
      "'a.png': it is 9000 x 9000 pixels large, and at most 64 million pixels are read; scale it down");
  EXPECT_HAS(error_at(8001, 8000), "8001 x 8000");
  EXPECT_HAS(error_at(0x7FFFFFFF, 0x7FFFFFFF), "it is 2147483647 x 2147483647 pixels large");
  EXPECT_EQ(error_of([] { require_readable_size(8000, 8000, "a"); }), "(no Error)");
  EXPECT_EQ(error_of([] { require_readable_size(64'000'000, 1, "a"); }), "(no Error)");
  EXPECT_HAS(error_of([] { require_readable_size(1, 64'000'001, "a"); }), "1 x 64000001");
  const PngParts wide{.width = 40000, .type = png_grey, .rows = {PngBytes(40000, 7)}};
  EXPECT_EQ(rgb_of(wide), PngBytes(120000, 7));
}

}  // namespace
}  // namespace ebm::test
