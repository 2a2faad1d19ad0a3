// SPDX-License-Identifier: MIT
#include "io/utf8.h"

#include <cstdint>

namespace ebm {

std::string valid_utf8(std::string_view text) {
  constexpr const char* replacement = "\xEF\xBF\xBD";
  std::string valid;
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return static_cast<unsigned char>(at < text.size() ? text[at] : 0); };
    const unsigned char lead = byte(i);
    const size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    size_t taken = 1;
    while (taken < length && (byte(i + taken) & 0xC0) == 0x80) code = code << 6 | (byte(i + taken++) & 0x3Fu);
    constexpr uint32_t least[] = {0, 1, 0x80, 0x800,
                                  0x10000};  // a shorter form is the only right one; no NUL
    const bool good = taken == length && lead < 0xF8 && (lead < 0x80 || lead >= 0xC2) &&
                      code >= least[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    valid += good ? std::string(text.substr(i, taken)) : replacement;
    i += taken;
  }
  return valid;
}

}  // namespace ebm
