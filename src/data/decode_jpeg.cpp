// SPDX-License-Identifier: MIT
// With libjpeg's own interface: TurboJPEG's makes one failure of all warnings.

#include <cstddef>
#include <cstdio>
// jpeglib.h wants size_t and FILE declared.
#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <vector>

#include "data/decode_formats.h"
#include "io/long_jump.h"

namespace ebm {
namespace {

/// Warnings of files that lose no pixel. All others (premature end, bad code, restart marker lost, ...) do.
bool is_harmless(int warning) {
  return warning == JWRN_ADOBE_XFORM ||      // an unknown colour transform in Adobe's marker
         warning == JWRN_EXTRANEOUS_DATA ||  // bytes that belong to nothing before a marker
         warning == JWRN_JFIF_MAJOR ||       // revision 0.00 of JFIF and the like
         warning == JWRN_NOT_SEQUENTIAL;     // Ss, Se, Ah, Al of a sequential scan, which mean nothing there
}

class JpegReader {
 public:
  JpegReader() = default;
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&state_); }

  // Each says whether it worked; if not, `reason` has the reason and only the destructor may follow.
  [[nodiscard]] bool read_header(std::span<const uint8_t> bytes);
  [[nodiscard]] bool begin_pixels();
  [[nodiscard]] bool read_row(uint8_t* row);
  [[nodiscard]] bool finish();

  [[nodiscard]] const char* reason() const { return jump_.reason(); }
  [[nodiscard]] int64_t width() const { return state_.image_width; }
  [[nodiscard]] int64_t height() const { return state_.image_height; }
  [[nodiscard]] bool is_cmyk() const { return state_.num_components == 4; }

 private:
  [[noreturn]] static void on_error(j_common_ptr info) {
    std::array<char, JMSG_LENGTH_MAX> message{};
    info->err->format_message(info, message.data());
    static_cast<JpegReader*>(info->client_data)->jump_.leave(message.data());
  }
  static void on_message(j_common_ptr info, int level) {
    const bool is_warning = level < 0;
    if (is_warning && !is_harmless(info->err->msg_code)) on_error(info);
  }
  static void print_nothing(j_common_ptr /*info*/) {}

  jpeg_decompress_struct state_{};
  jpeg_error_mgr errors_{};
  LongJump jump_;
};

bool JpegReader::read_header(std::span<const uint8_t> bytes) {
  return jump_.completes([=, this] {
    state_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    errors_.output_message = print_nothing;
    state_.client_data = this;
    jpeg_create_decompress(&state_);
    jpeg_mem_src(&state_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&state_, TRUE);
  });
}

bool JpegReader::begin_pixels() {
  return jump_.completes([this] {
    state_.out_color_space = is_cmyk() ? JCS_CMYK : JCS_RGB;
    state_.dct_method = JDCT_ISLOW;  // the one that others are compared with
    jpeg_start_decompress(&state_);
  });
}

bool JpegReader::read_row(uint8_t* row) {
  return jump_.completes([this, &row] { jpeg_read_scanlines(&state_, &row, 1); });
}

bool JpegReader::finish() {
  return jump_.completes([this] { jpeg_finish_decompress(&state_); });
}

/// Of inverted bytes: 255 is no ink.
void rgb_of_cmyk(std::span<const uint8_t> cmyk, uint8_t* rgb) {
  for (size_t i = 0; i < cmyk.size() / 4; ++i) {
    const int black = cmyk[4 * i + 3];
    for (size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<uint8_t>((cmyk[4 * i + c] * black + 127) / 255);
  }
}

}  // namespace

Image decode_jpeg(std::span<const uint8_t> bytes, const std::string& name) {
  JpegReader reader;
  const auto require = [&](bool done) {
    if (!done) throw undecodable(name, reader.reason());
  };
  require(reader.read_header(bytes));
  require_readable_size(reader.width(), reader.height(), name);
  require(reader.begin_pixels());
  Image image{.width = reader.width(), .height = reader.height(), .rgb = {}};
  image.rgb.resize(static_cast<size_t>(3 * image.width * image.height));
  std::vector<uint8_t> cmyk(static_cast<size_t>(reader.is_cmyk() ? 4 * image.width : 0));
  for (int64_t y = 0; y < image.height; ++y) {
    uint8_t* row = image.rgb.data() + 3 * image.width * y;
    require(reader.read_row(reader.is_cmyk() ? cmyk.data() : row));
    if (reader.is_cmyk()) rgb_of_cmyk(cmyk, row);
  }
  require(reader.finish());
  return image;
}

}  // namespace ebm
