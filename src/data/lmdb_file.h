// SPDX-License-Identifier: MIT
#pragma once
// The records of an LMDB database (data.mdb of LMDB 0.9, 64-bit little-endian), read in the order of their
// keys. Reads pages from the file and believes none of them, so that a damaged or cut database is an Error
// (liblmdb maps the file and follows whatever offsets it finds).
//
// The file is pages of equal size. Pages 0 and 1 are two versions of the meta page; the newer one names the
// root page of a B+ tree. A page starts with 16 bytes {uint64 number, uint16, uint16 flags, uint16 lower,
// uint16 upper}, then (lower - 16) / 2 uint16 offsets of its nodes. A node is {uint16 low, uint16 high,
// uint16 flags, uint16 key bytes, key, ...}: in a branch page low, high, flags make the child's page number;
// in a leaf page low, high are the value's size and the value follows, or, flagged as big, the number of the
// first of the pages that hold it. Other flags mark a record that is a database of its own (a named one) and
// a key of several values: neither is read.

#include <functional>
#include <span>
#include <string>

#include "data/input_file.h"

namespace ebm {

class LmdbFile {
 public:
  /// Throws Error when `path` is no such database or is shorter than its meta page says.
  explicit LmdbFile(const std::filesystem::path& path);

  int64_t records() const { return records_; }

  struct Record {
    std::span<const uint8_t> key, value;
  };
  /// Calls the visitor for each record, until it returns false. Throws Error where the file is damaged, and
  /// at a named database or a key of several values.
  using Visitor = std::function<bool(const Record&)>;
  void visit(const Visitor& visitor) const;

 private:
  struct Page;
  struct Walk;
  Page read_page(int64_t number) const;
  bool visit_page(int64_t number, int64_t levels, Walk& walk) const;
  bool visit_leaf(const Page& page, size_t node, const Visitor& visitor) const;
  Error damaged(int64_t page) const;
  Error unreadable_kind(const Page& page, size_t node) const;

  InputFile file_;
  int64_t page_bytes_ = 0, pages_ = 0;
  int64_t root_ = 0, levels_ = 0, records_ = 0;
  bool several_values_ = false;  // a key may have
};

/// A key for a message: what is not printable as \xNN, cut where it is long.
std::string printable(std::span<const uint8_t> key);

}  // namespace ebm
