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

/// The number of type T at `bytes`. Whole ones above 2^53 are rounded.
template <class T>
double value_of(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

/// What a value of that storage is read with.
struct NumberType {
  size_t bytes;
  double (*read)(const uint8_t* bytes);
};

template <class T>
constexpr NumberType type_of{sizeof(T), value_of<T>};

/// 0 bytes: no number.
NumberType number_type(MatArray::Storage storage) {
  using enum MatArray::Storage;
  switch (storage) {
    case int8:
      return type_of<int8_t>;
    case uint8:
      return type_of<uint8_t>;
    case int16:
      return type_of<int16_t>;
    case uint16:
      return type_of<uint16_t>;
    case int32:
      return type_of<int32_t>;
    case uint32:
      return type_of<uint32_t>;
    case float32:
      return type_of<float>;
    case float64:
      return type_of<double>;
    case int64:
      return type_of<int64_t>;
    case uint64:
      return type_of<uint64_t>;
  }
  return {0, nullptr};
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
  const auto each = static_cast<int64_t>(number_type(storage_).bytes);
  if (each == 0) {
    throw unusable(path_,
                   fmt::format("its array '{}' is stored as type {}, which is no number", name, values.type));
  }
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
  const NumberType type = number_type(storage_);
  std::vector<double> values;
  for (int64_t i = 0; i < count_; ++i) {
    std::array<uint8_t, 8> bytes;
    stream_->read(std::span(bytes).first(type.bytes), "its values");
    values.push_back(type.read(bytes.data()));
  }
  require_end();
  return values;
}

}  // namespace ebm
