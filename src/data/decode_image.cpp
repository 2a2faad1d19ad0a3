// SPDX-License-Identifier: MIT
#include "data/decode_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "data/decode_formats.h"

namespace ebm {
namespace {

/// The kinds of pictures that are read, each told by its first bytes.
struct Kind {
  std::string_view begins;
  Image (*decode)(std::span<const uint8_t> bytes, const std::string& name);
};
constexpr Kind kinds[] = {{"\xFF\xD8", decode_jpeg}, {"\x89PNG", decode_png}, {"RIFF", decode_webp}};

/// null: none of them.
const Kind* kind_of(std::span<const uint8_t> bytes) {
  const auto* const found = std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& kind) {
    return bytes.size() >= kind.begins.size() &&
           std::equal(kind.begins.begin(), kind.begins.end(), bytes.begin(),
                      [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
  });
  return found != std::end(kinds) ? found : nullptr;
}

}  // namespace

Error undecodable(const std::string& name, const std::string& reason) {
  return Error(fmt::format("cannot use the picture '{}': {}; get it again or leave it out", name, reason));
}

Image decode_image(std::span<const uint8_t> bytes, const std::string& name) {
  if (const Kind* kind = kind_of(bytes)) return kind->decode(bytes, name);
  throw undecodable(name, "it is neither JPEG nor PNG nor WebP");
}

bool begins_as_picture(std::span<const uint8_t> bytes) {
  return kind_of(bytes) != nullptr;
}

}  // namespace ebm
