// SPDX-License-Identifier: MIT
#include "data/decode_image.h"

#include <fmt/format.h>
#include <turbojpeg.h>
#include <webp/decode.h>

#include <array>
#include <memory>
#include <type_traits>

#include "core/error.h"

namespace ebm {
namespace {

constexpr int64_t most_pixels = 64'000'000;  // a header that claims more is not believed

Error undecodable(const std::string& name, const std::string& reason) {
  return Error(fmt::format("cannot use the picture '{}': {}; get it again or remove it", name, reason));
}

Image image_of(int width, int height, const std::string& name) {
  if (width < 1 || height < 1 || int64_t{width} * height > most_pixels) {
    throw undecodable(name, fmt::format("it is {} x {} pixels large", width, height));
  }
  Image image{.width = width, .height = height, .rgb = {}};
  image.rgb.resize(static_cast<size_t>(3 * image.width * image.height));
  return image;
}

Image decode_jpeg(std::span<const uint8_t> bytes, const std::string& name) {
  const std::unique_ptr<std::remove_pointer_t<tjhandle>, int (*)(tjhandle)> jpeg(tjInitDecompress(),
                                                                                 tjDestroy);
  if (jpeg == nullptr) throw Error("libjpeg-turbo does not start; is there memory left?");
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(jpeg.get(), bytes.data(), size, &width, &height, &subsampling, &colours) != 0) {
    throw undecodable(name, tjGetErrorStr2(jpeg.get()));
  }
  Image image = image_of(width, height, name);
  // A warning (data cut or damaged, but a picture made of it) is a failure too. TJFLAG_ACCURATEDCT: the
  // decoder that others are compared with.
  if (tjDecompress2(jpeg.get(), bytes.data(), size, image.rgb.data(), width, 0, height, TJPF_RGB,
                    TJFLAG_ACCURATEDCT) != 0) {
    throw undecodable(name, tjGetErrorStr2(jpeg.get()));
  }
  return image;
}

Image decode_webp(std::span<const uint8_t> bytes, const std::string& name) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK) {
    throw undecodable(name, "it is no WebP picture, or cut");
  }
  if (features.has_alpha != 0 || features.has_animation != 0) {
    throw undecodable(name, "WebP with transparency or animation is not supported");
  }
  Image image = image_of(features.width, features.height, name);
  if (WebPDecodeRGBInto(bytes.data(), bytes.size(), image.rgb.data(), image.rgb.size(), 3 * features.width) ==
      nullptr) {
    throw undecodable(name, "its WebP data is damaged or cut");
  }
  return image;
}

bool begins_with(std::span<const uint8_t> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(),
                                                   [](char a, uint8_t b) { return uint8_t(a) == b; });
}

}  // namespace

Image decode_image(std::span<const uint8_t> bytes, const std::string& name) {
  if (begins_with(bytes, "\xFF\xD8")) return decode_jpeg(bytes, name);
  if (begins_with(bytes, "\x89PNG")) return decode_png(bytes, name);
  if (begins_with(bytes, "RIFF")) return decode_webp(bytes, name);
  throw undecodable(name, "it is neither JPEG nor PNG nor WebP");
}

}  // namespace ebm
