// SPDX-License-Identifier: MIT
#include "data/mat_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace ebm {
namespace {

constexpr int64_t header_bytes = 128, tag_bytes = 8, alignment = 8;
constexpr uint32_t type_int8 = 1, type_int32 = 5, type_uint32 = 6, type_matrix = 14, type_compressed = 15;

uint32_t number(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

int64_t padding(int64_t bytes) {
  return (alignment - bytes % alignment) % alignment;
}

void require_version_5(const InputFile& file) {
  std::array<uint8_t, header_bytes> header{};
  if (file.size() >= header_bytes) file.read(0, header);
  // version 0x0100, and "MI" as a 16-bit number: both little-endian
  constexpr std::array<uint8_t, 4> version_5{0x00, 0x01, 'I', 'M'};
  if (!std::equal(version_5.begin(), version_5.end(), header.end() - 4)) {
    throw unusable(file.path(), "it is no little-endian MATLAB file of version 5");
  }
}

}  // namespace

MatArray::MatArray(const InputFile& file, const std::string& name) : path_(file.path()) {
  require_version_5(file);
  for (int64_t offset = header_bytes; offset < file.size();) {
    std::array<uint8_t, tag_bytes> tag;
    file.read(offset, tag);
    const uint32_t type = number(tag.data());
    const int64_t bytes = number(tag.data() + 4), start = offset + tag_bytes;
    if (bytes > file.size() - start) {
      throw unusable(path_, fmt::format("its element at byte {} claims {} bytes, {} follow", offset, bytes,
                                        file.size() - start));
    }
    const bool found =
        (type == type_compressed && open(file, start, bytes, ByteStream::Compression::zlib, name)) ||
        (type == type_matrix && open(file, offset, tag_bytes + bytes, ByteStream::Compression::none, name));
    if (found) return;
    offset = start + bytes;
  }
  throw unusable(path_, fmt::format("it has no array '{}'", name));
}

/// Reads an element's array up to its values; false when it has another name.
bool MatArray::open(const InputFile& file, int64_t offset, int64_t size, ByteStream::Compression compression,
                    const std::string& name) {
  stream_ = std::make_unique<ByteStream>(file, offset, size, compression);
  if (read_tag().type != type_matrix) return false;
  read_element(type_uint32);  // flags: the values' storage says enough
  const std::vector<uint8_t> dims = read_element(type_int32);
  const std::vector<uint8_t> found = read_element(type_int8);
  if (std::string(found.begin(), found.end()) != name) return false;

  dims_.clear();
  count_ = 1;
  constexpr int64_t most = int64_t{1} << 40;
  for (size_t i = 0; i + 4 <= dims.size(); i += 4) {
    dims_.push_back(number(dims.data() + i));
    count_ = count_ > most ? count_ : count_ * dims_.back();
  }
  const Tag values = read_tag();
  storage_ = static_cast<Storage>(values.type);
  if (storage_ != Storage::uint8 && storage_ != Storage::float64) {
    throw unusable(path_, fmt::format("its array '{}' is stored as type {}, neither uint8 nor float64", name,
                                      values.type));
  }
  const int64_t each = storage_ == Storage::uint8 ? 1 : 8;
  if (count_ < 1 || count_ > most || count_ * each != values.bytes || (values.is_small && values.bytes > 4) ||
      values.bytes > stream_->at_most()) {
    throw unusable(path_, fmt::format("its array '{}' claims {} values in {} bytes, which it cannot hold",
                                      name, count_, values.bytes));
  }
  padding_ = values.is_small ? 4 - count_ * each : padding(values.bytes);
  return true;
}

MatArray::Tag MatArray::read_tag() {
  std::array<uint8_t, 4> word;
  stream_->read(word, "an array's header");
  const uint32_t first = number(word.data());
  if (first >> 16 != 0) return {.type = first & 0xFFFF, .bytes = first >> 16, .is_small = true};
  stream_->read(word, "an array's header");
  return {.type = first, .bytes = number(word.data())};
}

std::vector<uint8_t> MatArray::read_element(uint32_t type) {
  const Tag tag = read_tag();
  constexpr uint32_t longest = 1024;
  if (tag.type != type || tag.bytes > (tag.is_small ? 4 : longest)) {
    throw unusable(
        path_, fmt::format("an array's header has an element of type {} with {} bytes", tag.type, tag.bytes));
  }
  std::vector<uint8_t> data(tag.bytes);
  stream_->read(data, "an array's header");
  stream_->skip(tag.is_small ? 4 - tag.bytes : padding(tag.bytes), "an array's header");
  return data;
}

void MatArray::read(std::span<uint8_t> bytes, const std::string& what) {
  stream_->read(bytes, what);
}

void MatArray::require_end() {
  stream_->skip(padding_, "the end of an array");
  stream_->require_end();
}

std::vector<double> MatArray::read_all() {
  std::vector<double> values;
  for (int64_t i = 0; i < count_; ++i) {
    std::array<uint8_t, 8> bytes;
    double value = 0;
    if (storage_ == Storage::uint8) {
      stream_->read(std::span(bytes).first(1), "its values");
      value = bytes[0];
    } else {
      stream_->read(bytes, "its values");
      std::memcpy(&value, bytes.data(), sizeof value);
    }
    values.push_back(value);
  }
  require_end();
  return values;
}

}  // namespace ebm
