// SPDX-License-Identifier: MIT
#include "data/decode_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "data/decode_formats.h"

namespace ebm {
namespace {

bool begins_with(std::span<const uint8_t> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(),
                                                   [](char a, uint8_t b) { return uint8_t(a) == b; });
}

}  // namespace

Error undecodable(const std::string& name, const std::string& reason) {
  return Error(fmt::format("cannot use the picture '{}': {}; get it again or leave it out", name, reason));
}

Image decode_image(std::span<const uint8_t> bytes, const std::string& name) {
  if (begins_with(bytes, "\xFF\xD8")) return decode_jpeg(bytes, name);
  if (begins_with(bytes, "\x89PNG")) return decode_png(bytes, name);
  if (begins_with(bytes, "RIFF")) return decode_webp(bytes, name);
  throw undecodable(name, "it is neither JPEG nor PNG nor WebP");
}

}  // namespace ebm
