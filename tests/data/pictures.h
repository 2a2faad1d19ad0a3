// SPDX-License-Identifier: MIT
#pragma once
// Pictures and encoders for the tests.

#include <turbojpeg.h>
#include <webp/encode.h>

#include <cmath>

#include "data/data_fixture.h"
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

/// `grey`: only the first channel.
inline Bytes encode_jpeg(const Image& image, int quality = 95, bool grey = false) {
  Bytes pixels = image.rgb;
  for (size_t i = 0; grey && i < pixels.size() / 3; ++i) pixels[i] = image.rgb[3 * i];
  const tjhandle jpeg = tjInitCompress();
  unsigned char* out = nullptr;
  unsigned long size = 0;
  EXPECT_EQ(
      tjCompress2(jpeg, pixels.data(), static_cast<int>(image.width), 0, static_cast<int>(image.height),
                  grey ? TJPF_GRAY : TJPF_RGB, &out, &size, grey ? TJSAMP_GRAY : TJSAMP_444, quality, 0),
      0);
  Bytes bytes(out, out + size);
  tjFree(out);
  tjDestroy(jpeg);
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

}  // namespace ebm::test
