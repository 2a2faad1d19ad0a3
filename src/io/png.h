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

/// Writes a PNG file, whole or not at all (write_atomically). Throws Error when the picture's sizes disagree
/// with its bytes or the file cannot be written.
void write_png(const std::filesystem::path& path, const Image& image);

/// Decodes a PNG picture of any kind, of at most 64 million pixels, as RGB (transparency over white). `name`
/// is the picture's, for the message of the Error when it cannot be read.
[[nodiscard]] Image decode_png(std::span<const uint8_t> bytes, const std::string& name);

/// decode_png of a file.
[[nodiscard]] Image read_png(const std::filesystem::path& path);

}  // namespace ebm
