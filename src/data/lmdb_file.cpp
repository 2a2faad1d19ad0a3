// SPDX-License-Identifier: MIT
#include "data/lmdb_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

namespace ebm {
namespace {

constexpr size_t page_header = 16, node_header = 8;
constexpr uint16_t branch_page = 0x01, leaf_page = 0x02, overflow_page = 0x04, meta_page = 0x08;
constexpr uint16_t big_value = 0x01, named_database = 0x02, duplicates = 0x04;  // of a node
constexpr uint16_t duplicates_sorted = 0x04;                                    // of a database
constexpr size_t database_bytes = 48;  // what the value of a named one is
constexpr size_t longest_value = size_t{256} << 20;

/// A little-endian number at `offset`; the bytes are there.
template <typename T>
T number_at(std::span<const uint8_t> bytes, size_t offset) {
  static_assert(std::endian::native == std::endian::little, "LMDB files are of the machine's byte order");
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

struct LmdbFile::Page {
  int64_t number;
  std::vector<uint8_t> bytes;

  uint16_t flags() const { return number_at<uint16_t>(bytes, 10); }
  size_t nodes() const { return (number_at<uint16_t>(bytes, 12) - page_header) / 2; }
  size_t node(size_t i) const { return number_at<uint16_t>(bytes, page_header + 2 * i); }
};

/// What is left to be seen: a damaged tree may branch without end.
struct LmdbFile::Walk {
  const Visitor& visitor;
  int64_t records, pages;
};

Error LmdbFile::damaged(int64_t page) const {
  return unusable(file_.path(), fmt::format("page {} of {} is damaged", page, pages_));
}

LmdbFile::LmdbFile(const std::filesystem::path& path) : file_(path) {
  constexpr uint32_t magic = 0xBEEFC0DE, version = 1;
  constexpr int64_t meta_bytes = 136, smallest_page = 512, largest_page = 32768, max_levels = 32;
  int64_t newest = -1, last_page = 0;
  for (const int64_t page : {0, 1}) {
    std::vector<uint8_t> bytes(page_header + meta_bytes);
    if (file_.size() >= page * page_bytes_ + std::ssize(bytes)) file_.read(page * page_bytes_, bytes);
    const auto meta = std::span(bytes).subspan(page_header);
    if ((number_at<uint16_t>(bytes, 10) & meta_page) == 0 || number_at<uint32_t>(meta, 0) != magic ||
        number_at<uint32_t>(meta, 4) != version) {
      throw unusable(path, "it is no LMDB database of version 0.9, or cut");
    }
    const int64_t page_bytes = number_at<uint32_t>(meta, 24);
    if (page_bytes < smallest_page || page_bytes > largest_page || (page == 1 && page_bytes != page_bytes_)) {
      throw damaged(page);
    }
    page_bytes_ = page_bytes;
    const auto transaction = number_at<int64_t>(meta, 128);
    if (transaction <= newest) continue;
    newest = transaction;
    several_values_ = (number_at<uint16_t>(meta, 76) & duplicates_sorted) != 0;
    levels_ = number_at<uint16_t>(meta, 78);
    records_ = number_at<int64_t>(meta, 104);
    root_ = number_at<int64_t>(meta, 112);
    last_page = number_at<int64_t>(meta, 120);
  }
  pages_ = file_.size() / page_bytes_;
  if (last_page < 1 || last_page >= pages_) {
    throw unusable(path, fmt::format("it has {} pages and should have {}", pages_, last_page + 1));
  }
  if (newest < 0 || levels_ > max_levels || records_ < 0 ||
      records_ > file_.size() / static_cast<int64_t>(node_header)) {
    throw damaged(0);
  }
}

LmdbFile::Page LmdbFile::read_page(int64_t number) const {
  if (number < 2 || number >= pages_) throw damaged(number);
  Page page{.number = number, .bytes = std::vector<uint8_t>(static_cast<size_t>(page_bytes_))};
  file_.read(number * page_bytes_, page.bytes);
  const size_t lower = number_at<uint16_t>(page.bytes, 12);
  const bool has_nodes = (page.flags() & (branch_page | leaf_page)) != 0;
  if (number_at<int64_t>(page.bytes, 0) != number ||
      (has_nodes && (lower < page_header || lower > page.bytes.size()))) {
    throw damaged(number);
  }
  for (size_t i = 0; has_nodes && i < page.nodes(); ++i) {
    if (page.node(i) < lower || page.node(i) + node_header > page.bytes.size()) throw damaged(number);
  }
  return page;
}

bool LmdbFile::visit_leaf(const Page& page, size_t node, const Visitor& visitor) const {
  const std::span<const uint8_t> bytes = page.bytes;
  const auto flags = number_at<uint16_t>(bytes, node + 4);
  const size_t key_bytes = number_at<uint16_t>(bytes, node + 6);
  const size_t value_bytes = number_at<uint32_t>(bytes, node);
  const size_t start = node + node_header + key_bytes;
  const size_t inline_bytes = flags == big_value ? sizeof(int64_t) : value_bytes;
  if (start > bytes.size() || inline_bytes > bytes.size() - start) throw damaged(page.number);
  if ((flags & ~big_value) != 0) throw unreadable_kind(page, node);
  const auto key = bytes.subspan(node + node_header, key_bytes);
  if (flags != big_value) return visitor({.key = key, .value = bytes.subspan(start, value_bytes)});

  const auto first = number_at<int64_t>(bytes, start);
  if ((read_page(first).flags() & overflow_page) == 0) throw damaged(first);
  const int64_t offset = first * page_bytes_ + static_cast<int64_t>(page_header);
  if (value_bytes > longest_value || static_cast<int64_t>(value_bytes) > file_.size() - offset) {
    throw damaged(first);
  }
  std::vector<uint8_t> value(value_bytes);
  file_.read(offset, value);
  return visitor({.key = key, .value = value});
}

/// Of a node, all on its page, with flags beyond `big_value`.
Error LmdbFile::unreadable_kind(const Page& page, size_t node) const {
  const std::span<const uint8_t> bytes = page.bytes;
  const auto flags = number_at<uint16_t>(bytes, node + 4);
  const std::string path = file_.path().string();
  const std::string key = printable(bytes.subspan(node + node_header, number_at<uint16_t>(bytes, node + 6)));
  if (flags == named_database && number_at<uint32_t>(bytes, node) == database_bytes) {
    return Error(fmt::format(
        "cannot use '{}': its record '{}' is a named database, and only the main one is read; copy "
        "it to the main one of another: mdb_dump -s '{}' '{}' | grep -v ^database= | mdb_load OTHER",
        path, key, key, file_.path().parent_path().string()));
  }
  if (several_values_ && (flags & duplicates) != 0) {
    return Error(
        fmt::format("cannot use '{}': its key '{}' has several values (MDB_DUPSORT); write each "
                    "picture under a key of its own",
                    path, key));
  }
  return damaged(page.number);
}

/// Visits the records below a page, `levels` above the leaves.
bool LmdbFile::visit_page(int64_t number, int64_t levels, Walk& walk) const {
  const Page page = read_page(number);
  const uint16_t kind = levels == 0 ? leaf_page : branch_page;
  if (--walk.pages < 0 || (page.flags() & kind) == 0) throw damaged(number);
  for (size_t i = 0; i < page.nodes(); ++i) {
    const size_t node = page.node(i);
    if (levels == 0) {
      if (--walk.records < 0) throw damaged(number);
      if (!visit_leaf(page, node, walk.visitor)) return false;
    } else {
      const auto child = int64_t{number_at<uint32_t>(page.bytes, node)} |
                         int64_t{number_at<uint16_t>(page.bytes, node + 4)} << 32;
      if (!visit_page(child, levels - 1, walk)) return false;
    }
  }
  return true;
}

void LmdbFile::visit(const Visitor& visitor) const {
  Walk walk{.visitor = visitor, .records = records_, .pages = pages_};
  if (levels_ > 0 && !visit_page(root_, levels_ - 1, walk)) return;
  if (walk.records != 0) {
    throw unusable(file_.path(),
                   fmt::format("it has {} of its {} records", records_ - walk.records, records_));
  }
}

std::string printable(std::span<const uint8_t> key) {
  constexpr size_t longest = 80;
  std::string text;
  for (const uint8_t byte : key.first(std::min(key.size(), longest))) {
    text += byte >= 0x20 && byte < 0x7F ? std::string(1, static_cast<char>(byte))
                                        : fmt::format("\\x{:02x}", byte);
  }
  return key.size() > longest ? text + "..." : text;
}

}  // namespace ebm
