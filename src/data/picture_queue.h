// SPDX-License-Identifier: MIT
#pragma once
// From encoded pictures of any size to images of one size, on all cores.

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace ebm {

/// Where a picture that is no square is cropped: at its centre, or anywhere along its longer edge.
enum class Crop { centre, random };

struct PictureOptions {
  int64_t side = 64;  ///< of the images, in pixels
  Crop crop = Crop::centre;
  uint64_t seed = 1;  ///< of random crops
};

struct EncodedPicture {
  std::string name;            ///< for messages
  std::vector<uint8_t> bytes;  ///< a JPEG, PNG or WebP file
  int64_t label = 0;
  uint64_t number = 0;  ///< its random crop is a function of (seed, number)
};

/// Decodes, crops and resizes pictures (decode_image.h, crop_resize.h), many at a time, and adds the images
/// to `sink` in the order of the pictures.
class PictureQueue {
 public:
  PictureQueue(const PictureOptions& options, ImageSink& sink) : options_(options), sink_(sink) {}

  void add(EncodedPicture picture);
  /// To be called after the last picture.
  void finish();

  /// The shape of the images.
  static Features shape(const PictureOptions& options) {
    return {.height = options.side, .width = options.side, .channels = 3};
  }

 private:
  PictureOptions options_;
  ImageSink& sink_;
  std::vector<EncodedPicture> waiting_;
};

}  // namespace ebm
