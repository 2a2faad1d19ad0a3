// SPDX-License-Identifier: MIT
#include "data/image_data.h"

#include <algorithm>
#include <cstring>

#include "data/prefetcher.h"

namespace ebm {
namespace {

/// What both kinds of sources share: which images, and from bytes to numbers.
class ImageData : public DataSource {
 public:
  ImageData(Kernels& kernels, const DatasetInfo& info, const ImageDataOptions& options)
      : kernels_(kernels),
        shape_(info.shape),
        options_(options),
        order_{.seed = options.seed, .count = info.count},
        picks_(kernels, 2 * options.share.rows * options.steps) {}

  const Features& features() const final { return shape_; }

 protected:
  int64_t batch() const { return options_.share.rows * options_.steps; }
  /// Of an iteration, by all ranks.
  int64_t draws() const { return options_.share.of_step() * options_.steps; }

  /// x = the batch: of `images` by their index if `staged` is null, else in the order of the rows.
  void queue_batch(const uint64_t* iteration, const uint8_t* images, const uint64_t* staged, View x) {
    require_batch(x, batch(), shape_);
    kernels_.run(PickImages{.rows = x.rows,
                            .order = order_,
                            .flips = options_.flips,
                            .share = options_.share,
                            .draws = draws(),
                            .iteration = iteration,
                            .staged = staged,
                            .picks = picks_.data()});
    kernels_.run(ImageBatch{.rows = x.rows * shape_.height,
                            .columns = shape_.width * shape_.channels,
                            .height = shape_.height,
                            .width = shape_.width,
                            .channels = shape_.channels,
                            .images = images,
                            .picks = picks_.data(),
                            .x = x.data});
  }

  Kernels& kernels_;
  Features shape_;
  ImageDataOptions options_;
  ImageOrder order_;

 private:
  Buffer<int64_t> picks_;
};

/// All images on the device.
class ResidentImages final : public ImageData {
 public:
  ResidentImages(Kernels& kernels, const ImageFile& file, const ImageDataOptions& options)
      : ImageData(kernels, file.info(), options),
        images_(kernels, file.info().count * file.info().shape.size()) {
    constexpr int64_t block_bytes = int64_t{16} << 20;
    const int64_t each = shape_.size();
    const int64_t block = std::max<int64_t>(1, block_bytes / each);
    std::vector<uint8_t> host;
    ContentCheck check(file);
    for (int64_t first = 0; first < order_.count; first += block) {
      host.resize(static_cast<size_t>(std::min(block, order_.count - first) * each));
      file.read_images(first, host);
      check.add(host);
      kernels.upload(images_.data() + first * each, host.data(), std::ssize(host));
    }
    check.finish();
  }

  void draw(const uint64_t* iteration, View x) override {
    queue_batch(iteration, images_.data(), nullptr, x);
  }

 private:
  Buffer<uint8_t> images_;
};

/// Batches read ahead from the disk: {uint64 iteration, images in the order of the rows}.
class StreamedImages final : public ImageData {
 public:
  StreamedImages(Kernels& kernels, const ImageFile& file, const ImageDataOptions& options)
      : ImageData(kernels, file.info(), options),
        reader_(file),
        block_(kernels, header_bytes + batch() * file.info().shape.size()) {
    std::vector<std::span<uint8_t>> slots;
    for (uint64_t i = 0; i < ring; ++i) {
      staging_.push_back(kernels.staging(block_.size()));
      slots.emplace_back(static_cast<uint8_t*>(staging_.back()->host()), static_cast<size_t>(block_.size()));
    }
    const auto fill = [this](uint64_t iteration, std::span<uint8_t> slot) { fill_slot(iteration, slot); };
    prefetcher_ = std::make_unique<Prefetcher>(std::move(slots), fill);
  }

  void prepare(uint64_t iteration) override {
    if (iteration != next_) {  // the first time, or a jump
      for (const auto& staging : staging_) staging->host();
      prefetcher_->start(iteration);
      first_ = iteration;
    }
    next_ = iteration + 1;
    // The batches of the last iterations may still be on their way to the device. Older ones are waited for:
    // they are there, unless the host has run far ahead of the device.
    uint64_t oldest = first_;
    if (iteration - first_ > in_flight) {
      oldest = iteration - in_flight;
      staging_[(oldest - 1) % ring]->host();
    }
    prefetcher_->wait(iteration, oldest);
    staging_[iteration % ring]->start(block_.data());
  }

  void draw(const uint64_t* iteration, View x) override {
    queue_batch(iteration, block_.data() + header_bytes, reinterpret_cast<const uint64_t*>(block_.data()), x);
  }

 private:
  static constexpr uint64_t ring = 6, in_flight = 2;
  static constexpr int64_t header_bytes = 64;  // the iteration's number, and alignment

  void fill_slot(uint64_t iteration, std::span<uint8_t> slot) {
    std::memcpy(slot.data(), &iteration, sizeof iteration);
    auto images = slot.subspan(static_cast<size_t>(header_bytes));
    const auto each = static_cast<size_t>(shape_.size());
    const uint64_t first = iteration * static_cast<uint64_t>(draws());
    for (int64_t row = 0; row < batch(); ++row) {
      reader_.read(order_.image(first + static_cast<uint64_t>(options_.share.in_batch(row))),
                   images.first(each));
      images = images.subspan(each);
    }
  }

  ImageFileReader reader_;
  Buffer<uint8_t> block_;  // on the device
  std::vector<std::unique_ptr<Staging>> staging_;
  uint64_t first_ = 0, next_ = UINT64_MAX;  // iterations prepared without a jump: first_ .. next_ - 1
  std::unique_ptr<Prefetcher> prefetcher_;  // last: its thread uses the others
};

}  // namespace

std::unique_ptr<DataSource> make_image_data(Kernels& kernels, const ImageFile& file,
                                            const ImageDataOptions& options) {
  const RankRows& share = options.share;
  if (share.rows < 1 || share.rank < 0 || share.rank >= share.ranks) {
    throw Error("a batch of " + std::to_string(share.rows) + " images for rank " +
                std::to_string(share.rank) + " of " + std::to_string(share.ranks) +
                "; give at least one image, and a rank below the number of ranks");
  }
  const DatasetInfo& info = file.info();
  if (info.count * info.shape.size() <= options.max_resident_bytes) {
    return std::make_unique<ResidentImages>(kernels, file, options);
  }
  return std::make_unique<StreamedImages>(kernels, file, options);
}

}  // namespace ebm
