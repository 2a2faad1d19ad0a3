// SPDX-License-Identifier: MIT
#pragma once
// PNG files put together chunk by chunk, as the PNG specification has them, without libpng.

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebm::test {

using PngBytes = std::vector<uint8_t>;

inline void append_big_endian(PngBytes& to, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<uint8_t>(number >> shift));
}

// Byte by byte: g++ 12 warns of a vector's insert of a range here, without reason.
template <typename Range>
void append_all(PngBytes& to, const Range& from) {
  for (const auto byte : from) to.push_back(static_cast<uint8_t>(byte));
}

inline PngBytes chunk(std::string_view type, const PngBytes& data) {
  PngBytes bytes;
  append_big_endian(bytes, static_cast<uint32_t>(data.size()));
  append_all(bytes, type);
  append_all(bytes, data);
  append_big_endian(bytes,
                    static_cast<uint32_t>(crc32(0, bytes.data() + 4, static_cast<uInt>(bytes.size() - 4))));
  return bytes;
}

inline PngBytes with_wrong_checksum(PngBytes chunk) {
  chunk.back() ^= 1;
  return chunk;
}

enum ColourType : uint8_t { png_grey = 0, png_rgb = 2, png_palette = 3, png_grey_alpha = 4, png_rgba = 6 };

struct PngParts {
  uint32_t width = 1;
  uint32_t height = 1;
  uint8_t depth = 8;
  ColourType type = png_rgb;
  std::vector<PngBytes> rows = {};    ///< packed samples; of an interlaced picture the rows of its passes
  std::vector<PngBytes> before = {};  ///< chunks between IHDR and IDAT
  std::vector<PngBytes> after = {chunk("IEND", {})};
  uint8_t interlace = 0;
};

inline PngBytes file_of(const PngParts& parts) {
  PngBytes file{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  PngBytes header;
  append_big_endian(header, parts.width);
  append_big_endian(header, parts.height);
  for (const uint8_t byte : {parts.depth, uint8_t{parts.type}, uint8_t{0}, uint8_t{0}, parts.interlace}) {
    header.push_back(byte);
  }
  append_all(file, chunk("IHDR", header));
  for (const PngBytes& bytes : parts.before) append_all(file, bytes);
  PngBytes raw;
  for (const PngBytes& row : parts.rows) {
    raw.push_back(0);  // no filter
    append_all(raw, row);
  }
  PngBytes packed(compressBound(raw.size()));
  uLongf size = packed.size();
  compress(packed.data(), &size, raw.data(), raw.size());
  packed.resize(size);
  append_all(file, chunk("IDAT", packed));
  for (const PngBytes& bytes : parts.after) append_all(file, bytes);
  return file;
}

}  // namespace ebm::test
