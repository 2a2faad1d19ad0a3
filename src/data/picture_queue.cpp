// SPDX-License-Identifier: MIT
#include "data/picture_queue.h"

#include <exception>
#include <utility>

#include "data/crop_resize.h"
#include "data/decode_image.h"
#include "kernels/formulas/images.h"

namespace ebm {
namespace {

constexpr size_t pictures_at_a_time = 256;

std::vector<uint8_t> image_of(const EncodedPicture& picture, const PictureOptions& options) {
  const Image image = decode_image(picture.bytes, picture.name);
  const auto places = static_cast<uint64_t>(crop_room(image) + 1);
  const int64_t offset =
      options.crop == Crop::centre
          ? centre_offset(image)
          : static_cast<int64_t>(mix_bits(mix_bits(options.seed) + picture.number) % places);
  return crop_and_resize(image, offset, options.side);
}

}  // namespace

void PictureQueue::add(EncodedPicture picture) {
  waiting_.push_back(std::move(picture));
  if (waiting_.size() == pictures_at_a_time) finish();
}

void PictureQueue::finish() {
  std::vector<std::vector<uint8_t>> images(waiting_.size());
  std::vector<std::exception_ptr> failures(waiting_.size());
#pragma omp parallel for schedule(dynamic)
  for (size_t i = 0; i < waiting_.size(); ++i) {
    try {
      images[i] = image_of(waiting_[i], options_);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  }
  for (size_t i = 0; i < waiting_.size(); ++i) {
    if (failures[i] != nullptr) std::rethrow_exception(failures[i]);
    sink_.add(images[i], waiting_[i].label);
  }
  waiting_.clear();
}

}  // namespace ebm
