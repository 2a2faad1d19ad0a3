// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "data/format_error.h"

namespace ebm {

/// A zip archive in memory whose entries are stored as they are, not compressed (APPNOTE.TXT 4.3), as
/// torch.save writes it: of less than 4 GB.
class StoredZip {
 public:
  /// Whether bytes begin as an archive does.
  static bool begins(std::span<const uint8_t> bytes);
  /// Reads the directory; the bytes must outlive this. Throws FormatError.
  explicit StoredZip(std::span<const uint8_t> bytes);

  bool has(const std::string& name) const { return entries_.contains(name); }
  /// The bytes of an entry, whose checksum agrees. Throws FormatError, also when there is none of that name.
  std::span<const uint8_t> read(const std::string& name) const;
  /// The name of an entry that ends so; "" if there is none.
  std::string name_ending(const std::string& end) const;

 private:
  struct Entry {
    uint16_t method;
    uint32_t crc, bytes, place;
  };
  std::span<const uint8_t> part(uint64_t from, uint64_t count) const;

  std::span<const uint8_t> bytes_;
  std::map<std::string, Entry> entries_;
};

}  // namespace ebm
