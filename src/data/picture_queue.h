// SPDX-License-Identifier: MIT
#pragma once
// From encoded pictures of any size to images of one size, on all cores.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace ebm {

/// Where a picture that is no square is cropped: at its centre, or anywhere along its longer edge.
enum class Crop { centre, random };

/// What becomes of pictures that cannot be read or decoded.
enum class Damaged {
  refuse,  ///< all are looked for, then it is an Error
  skip     ///< they are left out
};

struct PictureOptions {
  int64_t side = 64;  ///< of the images, in pixels
  Crop crop = Crop::centre;
  uint64_t seed = 1;  ///< of random crops
  Damaged damaged = Damaged::refuse;
};

struct EncodedPicture {
  std::string name;            ///< for messages
  std::vector<uint8_t> bytes;  ///< a JPEG, PNG or WebP file
  int64_t label = 0;
  uint64_t number = 0;       ///< its random crop is a function of (seed, number)
  std::string failure = {};  ///< why its bytes cannot be had; "" where they are there
};

/// Damaged pictures: how many, and the names of the first ones.
class DamagedList {
 public:
  /// A damaged picture, one of those looked at.
  void add(const std::string& name);
  void looked_at(int64_t pictures) { pictures_ += pictures; }
  /// Those of another part of the data set.
  void append(const DamagedList& other);

  int64_t damaged() const { return damaged_; }
  /// "3 of 7 pictures cannot be used: 'a.png', 'b.png', 'c.png'; get them again, ...".
  std::string message() const;

 private:
  int64_t damaged_ = 0, pictures_ = 0;
  std::vector<std::string> first_;
};

/// What PictureQueue::finish throws.
class DamagedPictures : public Error {
 public:
  explicit DamagedPictures(DamagedList list) : Error(list.message()), list_(std::move(list)) {}
  const DamagedList& list() const { return list_; }

 private:
  DamagedList list_;
};

/// Decodes, crops and resizes pictures (decode_image.h, crop_resize.h), many at a time, and adds the images
/// to `sink` in the order of the pictures. Of damaged ones the sink is told, one by one.
class PictureQueue {
 public:
  PictureQueue(const PictureOptions& options, ImageSink& sink) : options_(options), sink_(sink) {}

  void add(EncodedPicture picture);
  /// To be called after the last picture. Throws DamagedPictures when some are damaged and not to be skipped.
  void finish();

  /// The shape of the images.
  static Features shape(const PictureOptions& options) {
    return {.height = options.side, .width = options.side, .channels = 3};
  }

 private:
  void decode_waiting();

  PictureOptions options_;
  ImageSink& sink_;
  std::vector<EncodedPicture> waiting_;
  DamagedList damaged_;
};

}  // namespace ebm
