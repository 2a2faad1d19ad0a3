// SPDX-License-Identifier: MIT
#include "io/text_columns.h"

#include <algorithm>
#include <iterator>

namespace ebm {
namespace {

struct CodePoints {
  char32_t first, last;
};

// wcwidth() would need a locale; these are the blocks of its two exceptions, roughly.
constexpr CodePoints combining[] = {{0x0300, 0x036F},  {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
                                    {0x064B, 0x065F},  {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F},
                                    {0x20D0, 0x20FF},  {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
                                    {0xE0100, 0xE01EF}};
constexpr CodePoints wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

template <size_t n>
bool is_in(char32_t c, const CodePoints (&blocks)[n]) {
  return std::any_of(std::begin(blocks), std::end(blocks),
                     [c](const CodePoints& block) { return block.first <= c && c <= block.last; });
}

struct Character {
  char32_t code;
  size_t bytes;
};

/// The character at the beginning of `text`, which is not empty; a byte that begins none as itself.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t bytes = lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  auto code = static_cast<char32_t>(lead & (0x7F >> bytes));
  for (const char c : text.substr(1, bytes - 1)) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) return {lead, 1};
    code = code << 6 | (static_cast<unsigned char>(c) & 0x3F);
  }
  return {code, bytes};
}

}  // namespace

std::string_view first_columns(std::string_view text, int64_t columns) {
  size_t taken = 0;
  while (taken < text.size()) {
    const Character c = first_character(text.substr(taken));
    columns -= is_in(c.code, combining) ? 0 : is_in(c.code, wide) ? 2 : 1;
    if (columns < 0) break;
    taken += c.bytes;
  }
  return text.substr(0, taken);
}

}  // namespace ebm
