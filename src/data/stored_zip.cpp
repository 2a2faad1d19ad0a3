// SPDX-License-Identifier: MIT
#include "data/stored_zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

namespace ebm {

namespace {

constexpr uint32_t local_header = 0x04034B50, directory_header = 0x02014B50, directory_end = 0x06054B50;
constexpr uint64_t local_bytes = 30, directory_bytes = 46, end_bytes = 22, longest_comment = 65535;

/// The little-endian number at `at`.
template <class T>
T number(std::span<const uint8_t> bytes, size_t at) {
  T value = 0;
  for (size_t i = sizeof(T); i-- > 0;) value = static_cast<T>(value << 8 | bytes[at + i]);
  return value;
}

/// Where the end of the directory is, the last thing in the file.
uint64_t find_end(std::span<const uint8_t> bytes) {
  const uint64_t size = bytes.size(), first = size - std::min(size, end_bytes + longest_comment);
  for (uint64_t at = size - std::min(size, end_bytes) + 1; at-- > first;) {
    if (size - at >= end_bytes && number<uint32_t>(bytes, at) == directory_end) return at;
  }
  throw FormatError("it is cut: a zip archive ends with its directory, and this one does not");
}

}  // namespace

bool StoredZip::begins(std::span<const uint8_t> bytes) {
  return bytes.size() >= sizeof(uint32_t) && number<uint32_t>(bytes, 0) == local_header;
}

StoredZip::StoredZip(std::span<const uint8_t> bytes) : bytes_(bytes) {
  const auto end = part(find_end(bytes), end_bytes);
  const auto count = number<uint16_t>(end, 10);
  uint64_t at = number<uint32_t>(end, 16);
  for (int i = 0; i < count; ++i) {
    const auto header = part(at, directory_bytes);
    if (number<uint32_t>(header, 0) != directory_header)
      throw FormatError(fmt::format("its zip directory is damaged at byte {}", at));
    const auto name = part(at + directory_bytes, number<uint16_t>(header, 28));
    const Entry entry{.method = number<uint16_t>(header, 10),
                      .crc = number<uint32_t>(header, 16),
                      .bytes = number<uint32_t>(header, 24),
                      .place = number<uint32_t>(header, 42)};
    entries_.emplace(std::string(name.begin(), name.end()), entry);
    at += directory_bytes + name.size() + number<uint16_t>(header, 30) + number<uint16_t>(header, 32);
  }
}

std::span<const uint8_t> StoredZip::part(uint64_t from, uint64_t count) const {
  if (from > bytes_.size() || count > bytes_.size() - from)
    throw FormatError(fmt::format("it is cut: it has {} bytes, and {} from byte {} on are needed",
                                  bytes_.size(), count, from));
  return bytes_.subspan(from, count);
}

std::span<const uint8_t> StoredZip::read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw FormatError(fmt::format("its zip archive has no '{}'", name));
  const Entry& entry = found->second;
  if (entry.method != 0)
    throw FormatError(fmt::format("'{}' in it is compressed, as torch.save never does", name));
  const auto header = part(entry.place, local_bytes);
  const uint64_t begin =
      entry.place + local_bytes + number<uint16_t>(header, 26) + number<uint16_t>(header, 28);
  const auto content = part(begin, entry.bytes);
  if (crc32_z(crc32_z(0, nullptr, 0), content.data(), content.size()) != entry.crc)
    throw FormatError(fmt::format("the checksum of '{}' in it does not agree", name));
  return content;
}

std::string StoredZip::name_ending(const std::string& end) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& entry) { return entry.first.ends_with(end); });
  return found == entries_.end() ? "" : found->first;
}

}  // namespace ebm
