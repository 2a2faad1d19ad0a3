// SPDX-License-Identifier: MIT
#include "data/picture_queue.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "data/crop_resize.h"
#include "data/decode_image.h"
#include "kernels/formulas/images.h"

namespace ebm {
namespace {

constexpr size_t pictures_at_a_time = 256;
constexpr size_t max_names = 20;  // in a message

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

void DamagedList::add(const std::string& name) {
  ++damaged_;
  if (first_.size() < max_names) first_.push_back(name);
}

void DamagedList::append(const DamagedList& other) {
  damaged_ += other.damaged_;
  pictures_ += other.pictures_;
  for (const std::string& name : other.first_) {
    if (first_.size() < max_names) first_.push_back(name);
  }
}

std::string DamagedList::message() const {
  std::string names;
  for (const std::string& name : first_) names += (names.empty() ? "'" : ", '") + name + "'";
  if (damaged_ > std::ssize(first_)) names += fmt::format(" and {} more", damaged_ - std::ssize(first_));
  return fmt::format(
      "{} of {} pictures cannot be used: {}; get them again, or go on without them (--skip-damaged)",
      damaged_, pictures_, names);
}

void PictureQueue::add(EncodedPicture picture) {
  waiting_.push_back(std::move(picture));
  if (waiting_.size() == pictures_at_a_time) decode_waiting();
}

void PictureQueue::decode_waiting() {
  std::vector<std::vector<uint8_t>> images(waiting_.size());
  std::vector<std::exception_ptr> failures(waiting_.size());
#pragma omp parallel for schedule(dynamic)
  for (size_t i = 0; i < waiting_.size(); ++i) {
    try {
      if (waiting_[i].failure.empty()) images[i] = image_of(waiting_[i], options_);
    } catch (const Error& error) {
      waiting_[i].failure = error.what();
    } catch (...) {
      failures[i] = std::current_exception();
    }
  }
  damaged_.looked_at(std::ssize(waiting_));
  for (size_t i = 0; i < waiting_.size(); ++i) {
    if (failures[i] != nullptr) std::rethrow_exception(failures[i]);
    if (waiting_[i].failure.empty()) {
      sink_.add(images[i], waiting_[i].label);
    } else {
      damaged_.add(waiting_[i].name);
      sink_.leave_out(LeftOut::damaged, waiting_[i].failure);
    }
  }
  waiting_.clear();
}

void PictureQueue::finish() {
  decode_waiting();
  if (damaged_.damaged() > 0 && options_.damaged == Damaged::refuse) throw DamagedPictures(damaged_);
}

}  // namespace ebm
