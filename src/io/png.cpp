// SPDX-License-Identifier: MIT
#include "io/png.h"

#include <fmt/format.h>
#include <png.h>

#include "core/error.h"
#include "io/atomic_file.h"

namespace ebm {
namespace {

constexpr int64_t largest_side = 32767;
constexpr int64_t most_pixels_read = 64'000'000;  // a small file may claim any size

bool has_valid_sizes(int64_t width, int64_t height) {
  return width >= 1 && width <= largest_side && height >= 1 && height <= largest_side;
}

// libpng's state for one picture, freed whatever happens.
struct Control {
  png_image image{};
  Control() {
    image.version = PNG_IMAGE_VERSION;
    image.format = PNG_FORMAT_RGB;
  }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control() { png_image_free(&image); }
};

}  // namespace

Image Image::filled(int64_t width, int64_t height, Rgb colour) {
  if (!has_valid_sizes(width, height)) {
    throw Error(
        fmt::format("a picture of {} x {} pixels; each side must be in 1..{}", width, height, largest_side));
  }
  Image image{.width = width, .height = height, .rgb = {}};
  image.rgb.resize(static_cast<size_t>(3 * width * height));
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    image.rgb[i] = colour.red;
    image.rgb[i + 1] = colour.green;
    image.rgb[i + 2] = colour.blue;
  }
  return image;
}

Rgb Image::at(int64_t x, int64_t y) const {
  const uint8_t* pixel = rgb.data() + 3 * (y * width + x);
  return {pixel[0], pixel[1], pixel[2]};
}

void write_png(const std::filesystem::path& path, const Image& image) {
  if (!has_valid_sizes(image.width, image.height) ||
      std::ssize(image.rgb) != 3 * image.width * image.height) {
    throw Error(fmt::format("cannot write '{}': {} bytes for a picture of {} x {} pixels; give 3 a pixel",
                            path.string(), image.rgb.size(), image.width, image.height));
  }
  Control control;
  control.image.width = static_cast<png_uint_32>(image.width);
  control.image.height = static_cast<png_uint_32>(image.height);
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(control.image);
  std::vector<uint8_t> bytes(size);
  if (png_image_write_to_memory(&control.image, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr) == 0) {
    throw Error(fmt::format("cannot make '{}': {}; check the picture", path.string(), control.image.message));
  }
  bytes.resize(size);
  write_file(path, bytes);
}

Image decode_png(std::span<const uint8_t> bytes, const std::string& name) {
  const auto fail = [&](const char* reason) {
    return Error(fmt::format("cannot read '{}' as PNG: {}; use another file", name, reason));
  };
  Control control;
  if (png_image_begin_read_from_memory(&control.image, bytes.data(), bytes.size()) == 0) {
    throw fail(control.image.message);
  }
  const int64_t width = control.image.width, height = control.image.height;
  if (!has_valid_sizes(width, height) || width * height > most_pixels_read) throw fail("it is too large");
  control.image.format = PNG_FORMAT_RGB;
  Image image{.width = width, .height = height, .rgb = {}};
  image.rgb.resize(PNG_IMAGE_SIZE(control.image));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&control.image, &white, image.rgb.data(), 0, nullptr) == 0) {
    throw fail(control.image.message);
  }
  return image;
}

Image read_png(const std::filesystem::path& path) {
  return decode_png(read_file(path), path.string());
}

}  // namespace ebm
