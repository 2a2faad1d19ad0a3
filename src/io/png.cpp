// SPDX-License-Identifier: MIT
#include "io/png.h"

#include <fmt/format.h>
#include <png.h>

#include <cstring>
#include <utility>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/long_jump.h"

namespace ebm {
namespace {

constexpr int64_t largest_side = 32767;

bool has_valid_sizes(int64_t width, int64_t height) {
  return width >= 1 && width <= largest_side && height >= 1 && height <= largest_side;
}

// libpng's state for one picture that is written, freed whatever happens.
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

// libpng reading one picture. The simplified interface above would take each picture through a gamma curve.
class PngReader {
 public:
  explicit PngReader(std::span<const uint8_t> bytes) : left_(bytes) {}
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  // Each says whether it worked; if not, `reason` has the reason and only the destructor may follow.
  [[nodiscard]] bool read_header();
  [[nodiscard]] bool begin_pixels(int64_t& channels);  // 3: RGB, or 4: RGB and alpha
  [[nodiscard]] bool read_pixels(uint8_t* pixels, int64_t channels);

  [[nodiscard]] const char* reason() const { return jump_.reason(); }
  [[nodiscard]] int64_t width() const { return png_get_image_width(png_, info_); }
  [[nodiscard]] int64_t height() const { return png_get_image_height(png_, info_); }

 private:
  static void on_error(png_structp png, png_const_charp message) {
    static_cast<PngReader*>(png_get_error_ptr(png))->jump_.leave(message);
  }
  // What libpng warns of is no loss of pixels: checksums are errors, and chunks that it does not need it
  // passes over.
  static void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}
  static void read(png_structp png, png_bytep to, size_t count) {
    auto& left = static_cast<PngReader*>(png_get_io_ptr(png))->left_;
    if (count > left.size()) png_error(png, "it is cut");
    std::memcpy(to, left.data(), count);
    left = left.subspan(count);
  }

  std::span<const uint8_t> left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  LongJump jump_;
};

bool PngReader::read_header() {
  return jump_.completes([this] {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) jump_.leave("libpng does not start");
    png_set_read_fn(png_, this, read);
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // require_readable_size has the limit
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // all but IHDR, PLTE, tRNS, IDAT
    png_read_info(png_, info_);
  });
}

bool PngReader::begin_pixels(int64_t& channels) {
  return jump_.completes([this, &channels] {
    png_set_expand(png_);  // palettes to RGB, fewer than 8 bits to 8, tRNS to alpha
    png_set_scale_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    channels = png_get_channels(png_, info_);
  });
}

bool PngReader::read_pixels(uint8_t* pixels, int64_t channels) {
  return jump_.completes([=, this] {
    const int64_t rows = height(), row_bytes = channels * width();
    const int passes =
        png_get_interlace_type(png_, info_) == PNG_INTERLACE_NONE ? 1 : PNG_INTERLACE_ADAM7_PASSES;
    for (int pass = 0; pass < passes; ++pass) {
      for (int64_t y = 0; y < rows; ++y) png_read_row(png_, pixels + y * row_bytes, nullptr);
    }
  });
}

}  // namespace

void require_picture_size(int64_t width, int64_t height) {
  if (has_valid_sizes(width, height)) return;
  throw Error(
      fmt::format("a picture of {} x {} pixels; each side must be in 1..{}", width, height, largest_side));
}

Image Image::filled(int64_t width, int64_t height, Rgb colour) {
  require_picture_size(width, height);
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

std::vector<uint8_t> encode_png(const Image& image) {
  if (!has_valid_sizes(image.width, image.height) ||
      std::ssize(image.rgb) != 3 * image.width * image.height) {
    throw Error(fmt::format("cannot make a PNG: {} bytes for a picture of {} x {} pixels; give 3 a pixel",
                            image.rgb.size(), image.width, image.height));
  }
  Control control;
  control.image.width = static_cast<png_uint_32>(image.width);
  control.image.height = static_cast<png_uint_32>(image.height);
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(control.image);
  std::vector<uint8_t> bytes(size);
  if (png_image_write_to_memory(&control.image, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr) == 0)
    throw Error(fmt::format("cannot make a PNG: {}; check the picture", control.image.message));
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file(path, encode_png(image));
}

void require_readable_size(int64_t width, int64_t height, const std::string& name) {
  if (width >= 1 && height >= 1 && width <= max_pixels_read / height) return;
  throw Error(fmt::format(
      "cannot use the picture '{}': it is {} x {} pixels large, and at most {} million pixels are "
      "read; scale it down",
      name, width, height, max_pixels_read / 1'000'000));
}

Image over_white(int64_t width, int64_t height, std::vector<uint8_t> rgba) {
  if (std::ssize(rgba) != 4 * width * height) {
    throw Error(fmt::format("{} bytes for a picture of {} x {} pixels with alpha; give 4 a pixel",
                            rgba.size(), width, height));
  }
  // In place: a pixel is written where earlier ones were read.
  const auto pixels = rgba.size() / 4;
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* from = rgba.data() + 4 * i;
    uint8_t* to = rgba.data() + 3 * i;
    const int alpha = from[3];
    for (int c = 0; c < 3; ++c)
      to[c] = static_cast<uint8_t>((alpha * from[c] + (255 - alpha) * 255 + 127) / 255);
  }
  rgba.resize(3 * pixels);
  return {.width = width, .height = height, .rgb = std::move(rgba)};
}

Image decode_png(std::span<const uint8_t> bytes, const std::string& name) {
  PngReader reader(bytes);
  const auto require = [&](bool done) {
    if (!done)
      throw Error(fmt::format("cannot read '{}' as PNG: {}; use another file", name, reader.reason()));
  };
  require(reader.read_header());
  const int64_t width = reader.width(), height = reader.height();
  require_readable_size(width, height, name);
  int64_t channels = 0;
  require(reader.begin_pixels(channels));
  std::vector<uint8_t> pixels(static_cast<size_t>(channels * width * height));
  require(reader.read_pixels(pixels.data(), channels));
  if (channels == 4) return over_white(width, height, std::move(pixels));
  return {.width = width, .height = height, .rgb = std::move(pixels)};
}

Image read_png(const std::filesystem::path& path) {
  return decode_png(read_file(path), path.string());
}

}  // namespace ebm
