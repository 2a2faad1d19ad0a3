// SPDX-License-Identifier: MIT
#pragma once
// Pictures as 8-bit RGB, and PNG files of them.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ebm {

struct Rgb {
  uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Rgb&) const = default;
};

/// rgb holds height x width x 3 bytes, the top row first.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb = {};

  /// A picture of one colour. Throws Error unless both sizes are in 1..32767.
  static Image filled(int64_t width, int64_t height, Rgb colour);

  [[nodiscard]] Rgb at(int64_t x, int64_t y) const;  // 0 <= x < width, 0 <= y < height, not checked
};

/// Throws Error unless both sizes are those of a picture that can be made: in 1..32767.
void require_picture_size(int64_t width, int64_t height);

/// The picture as a PNG file. Throws Error when its sizes disagree with its bytes.
[[nodiscard]] std::vector<uint8_t> encode_png(const Image& image);

/// Writes encode_png's file, whole or not at all (write_file). Throws Error.
void write_png(const std::filesystem::path& path, const Image& image);

/// The largest picture that is read, whatever its format: a small file may claim any size.
inline constexpr int64_t max_pixels_read = 64'000'000;

/// Throws Error, with both sizes and the limit, unless a picture has 1 .. max_pixels_read pixels. `name` is
/// the picture's.
void require_readable_size(int64_t width, int64_t height, const std::string& name);

/// Pixels of four bytes (red, green, blue, alpha) over white: value' = (alpha value + (255 - alpha) 255) /
/// 255, rounded to the nearest, from the bytes as they are stored; Pillow's Image.alpha_composite. Throws
/// Error unless there are 4 width height bytes.
[[nodiscard]] Image over_white(int64_t width, int64_t height, std::vector<uint8_t> rgba);

/// Decodes a PNG picture of any kind, of at most max_pixels_read pixels, as RGB: bytes as they are stored,
/// whatever gAMA, cHRM, sRGB and iCCP say; 16 bits v as 255 v / 65535, rounded to the nearest (libpng's
/// png_set_scale_16; alpha likewise, before it is used); transparency over white (over_white). What stands
/// behind the pixels is not read. `name` is the picture's, for the message of the Error when it is cut or
/// damaged (checksums included).
[[nodiscard]] Image decode_png(std::span<const uint8_t> bytes, const std::string& name);

/// decode_png of a file.
[[nodiscard]] Image read_png(const std::filesystem::path& path);

}  // namespace ebm
