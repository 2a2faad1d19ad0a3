// SPDX-License-Identifier: MIT
#pragma once
// Pictures and encoders for the tests.

#include <cstddef>
#include <cstdio>
// jpeglib.h wants size_t and FILE declared.
#include <jpeglib.h>
#include <webp/encode.h>

#include <cmath>
#include <cstdlib>

#include "data/data_fixture.h"
#include "data/decode_image.h"
#include "io/png.h"

namespace ebm::test {

inline Image noise_image(int64_t width, int64_t height, uint32_t seed) {
  return {.width = width, .height = height, .rgb = Dice(seed).bytes(3 * width * height)};
}

/// Smooth, so that JPEG keeps it nearly as it is; the colours are functions of the place and `seed`.
inline Image smooth_image(int64_t width, int64_t height, uint32_t seed) {
  Image image = Image::filled(width, height, {});
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < 3; ++c) {
        const double phase = 0.05 * static_cast<double>(x * (c + 1) + y * (3 - c)) + seed;
        image.rgb[static_cast<size_t>(3 * (y * width + x) + c)] =
            static_cast<uint8_t>(127.5 + 100 * std::sin(phase));
      }
    }
  }
  return image;
}

/// `grey`: only the first channel. `restart_interval`: blocks between restart markers, 0: none.
inline Bytes encode_jpeg(const Image& image, int quality = 95, bool grey = false,
                         unsigned restart_interval = 0) {
  Bytes pixels = image.rgb;
  for (size_t i = 0; grey && i < pixels.size() / 3; ++i) pixels[i] = image.rgb[3 * i];
  jpeg_error_mgr errors{};
  jpeg_compress_struct jpeg{};
  jpeg.err = jpeg_std_error(&errors);  // ends the program on an error
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.input_components = grey ? 1 : 3;
  jpeg.in_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;  // chroma at full resolution
  jpeg.restart_interval = restart_interval;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row =
        pixels.data() + jpeg.next_scanline * jpeg.image_width * static_cast<unsigned>(jpeg.input_components);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  Bytes bytes(out, out + size);
  std::free(out);
  return bytes;
}

inline Bytes encode_webp(const Image& image) {
  uint8_t* out = nullptr;
  const size_t size =
      WebPEncodeLosslessRGB(image.rgb.data(), static_cast<int>(image.width), static_cast<int>(image.height),
                            static_cast<int>(3 * image.width), &out);
  EXPECT_GT(size, 0u);
  Bytes bytes(out, out + size);
  WebPFree(out);
  return bytes;
}

/// The bytes that a text of hexadecimal digits means.
inline Bytes from_hex(std::string_view digits) {
  Bytes bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

/// Where `part` begins in `bytes`.
inline std::ptrdiff_t place_of(const Bytes& bytes, const Bytes& part) {
  const auto at = std::search(bytes.begin(), bytes.end(), part.begin(), part.end());
  EXPECT_NE(at, bytes.end());
  return at - bytes.begin();
}

inline Bytes encode_png(const Image& image, const std::filesystem::path& scratch) {
  write_png(scratch, image);
  return read_file(scratch);
}

/// The largest difference of two pictures' bytes; 999 if their sizes differ.
inline int largest_difference(const Bytes& a, const Bytes& b) {
  int largest = a.size() == b.size() ? 0 : 999;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Decodes `whole` with each byte but those in [from, to), where its sizes are, changed: an Error that names
/// it, or a picture of its size; never a crash. At least a tenth of the changes are noticed.
inline void expect_to_survive_changes(const Bytes& whole, std::ptrdiff_t from, std::ptrdiff_t to) {
  const Image expected = decode_image(whole, "a.picture");
  int64_t noticed = 0;
  for (std::ptrdiff_t at = 0; at < std::ssize(whole); ++at) {
    if (at >= from && at < to) continue;
    Bytes changed = whole;
    changed[static_cast<size_t>(at)] ^= 0xFF;
    Image image = expected;
    const std::string message = error_of([&] { image = decode_image(changed, "a.picture"); });
    EXPECT_TRUE(message == "(no Error)" || contains(message, "'a.picture'")) << message;
    EXPECT_EQ(image.width, expected.width) << at;
    EXPECT_EQ(image.height, expected.height) << at;
    noticed += message == "(no Error)" ? 0 : 1;
  }
  EXPECT_GT(noticed, std::ssize(whole) / 10);
}

}  // namespace ebm::test
