// SPDX-License-Identifier: MIT
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <vector>

#include "data/decode_formats.h"

namespace ebm {
namespace {

constexpr const char* damaged = "its WebP data is damaged or cut";

/// The first frame on its canvas, which is transparent where the frame leaves it free.
std::vector<uint8_t> first_frame(std::span<const uint8_t> bytes, size_t size, const std::string& name) {
  const WebPData data{.bytes = bytes.data(), .size = bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, nullptr), WebPAnimDecoderDelete);  // RGBA by default
  uint8_t* rgba = nullptr;
  int milliseconds = 0;
  if (decoder == nullptr || WebPAnimDecoderGetNext(decoder.get(), &rgba, &milliseconds) == 0) {
    throw undecodable(name, damaged);
  }
  return {rgba, rgba + size};
}

}  // namespace

Image decode_webp(std::span<const uint8_t> bytes, const std::string& name) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK) {
    throw undecodable(name, "it is no WebP picture, or cut");
  }
  const int width = features.width, height = features.height;
  require_readable_size(width, height, name);
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  if (features.has_animation != 0) return over_white(width, height, first_frame(bytes, 4 * pixels, name));
  const bool has_alpha = features.has_alpha != 0;
  const int channels = has_alpha ? 4 : 3;
  std::vector<uint8_t> decoded(static_cast<size_t>(channels) * pixels);
  const auto decode = has_alpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(bytes.data(), bytes.size(), decoded.data(), decoded.size(), channels * width) == nullptr) {
    throw undecodable(name, damaged);
  }
  if (has_alpha) return over_white(width, height, std::move(decoded));
  return {.width = width, .height = height, .rgb = std::move(decoded)};
}

}  // namespace ebm
