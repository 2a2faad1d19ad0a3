// SPDX-License-Identifier: MIT
#include "data/image_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "io/atomic_file.h"

namespace ebm {
namespace {

constexpr const char* layout = "ebm images 1";
constexpr int64_t chunk_bytes = 64 * 1024;         // small, since a batch reads one for each of its images
constexpr int64_t block_bytes = int64_t{8} << 20;  // written at once, in whole chunks
constexpr int64_t largest_side = 1 << 15;
constexpr const char* checksum_kind = "crc32:";

std::string checksum_text(uLong crc) {
  return fmt::format("{}{:08x}", checksum_kind, crc);
}

/// Of the labels as 64-bit little-endian numbers, after `crc` of what comes before.
uLong add_labels(uLong crc, const std::vector<int64_t>& labels) {
  return crc32_z(crc, reinterpret_cast<const Bytef*>(labels.data()), labels.size() * sizeof(int64_t));
}

/// Writes the images block by block.
class FileSink final : public ImageSink {
 public:
  explicit FileSink(Hdf5File& file) : file_(file) {}

  void begin(const DatasetInfo& info) override {
    info_ = info;
    const Features& shape = info.shape;
    if (info.count < 1 || shape.size() < 1) {
      throw Error(fmt::format("'{}' has {} images of {}; give at least one", info.name, info.count,
                              to_string(shape)));
    }
    const int64_t chunk_rows = std::clamp<int64_t>(chunk_bytes / shape.size(), 1, info.count);
    const int64_t chunks_a_block = std::max<int64_t>(1, block_bytes / (chunk_rows * shape.size()));
    block_size_ = static_cast<size_t>(chunks_a_block * chunk_rows * shape.size());
    file_.declare_rows("images", {info.count, shape.height, shape.width, shape.channels}, chunk_rows);
  }

  void add(std::span<const uint8_t> pixels, int64_t label) override {
    if (std::ssize(pixels) != info_.shape.size() || std::ssize(labels_) >= info_.count) {
      throw Error(fmt::format("image {} of {} has {} bytes; give {} images of {} bytes", labels_.size(),
                              info_.count, pixels.size(), info_.count, info_.shape.size()));
    }
    block_.insert(block_.end(), pixels.begin(), pixels.end());
    labels_.push_back(label);
    if (block_.size() == block_size_) write_block();
  }

  void leave_out(LeftOut, const std::string&) override { ++info_.left_out; }

  void finish() {
    if (!block_.empty()) write_block();
    const int64_t count = std::ssize(labels_);
    if (count == 0 && info_.left_out > 0) {
      throw Error(fmt::format("no image of '{}' ({}) is left, {} were left out; get its pictures again",
                              info_.name, to_string(info_.split), info_.left_out));
    }
    if (count == 0 || count + info_.left_out < info_.count) {
      throw Error(fmt::format("{} of {} images came; give all", count, info_.count));
    }
    if (count < info_.count) file_.shorten_rows("images", count);
    file_.write_dataset("labels", std::span<const int64_t>(labels_), {count});
    file_.write_attribute("/", "layout", layout);
    file_.write_attribute("/", "name", info_.name);
    file_.write_attribute("/", "split", to_string(info_.split));
    file_.write_attribute("/", "source", info_.source);
    if (!info_.origin.empty()) file_.write_attribute("/", "origin", info_.origin);
    file_.write_attribute("/", "left_out", info_.left_out);
    file_.write_attribute("/", "checksum", checksum_text(add_labels(crc_, labels_)));
  }

 private:
  void write_block() {
    crc_ = crc32_z(crc_, block_.data(), block_.size());
    file_.write_rows("images", std::ssize(labels_) - std::ssize(block_) / info_.shape.size(), block_);
    block_.clear();
  }

  Hdf5File& file_;
  DatasetInfo info_;
  std::vector<uint8_t> block_;  // images not yet written
  size_t block_size_ = 0;
  std::vector<int64_t> labels_;
  uLong crc_ = crc32_z(0, nullptr, 0);
};

Hdf5File open_prepared(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(
        fmt::format("there is no data file '{}'; make it: data/fetch.sh NAME, then "
                    "./experiments/prepare_data --dataset NAME (--help says more)",
                    path.string()));
  }
  return Hdf5File::open_read(path);
}

}  // namespace

void write_image_file(const std::filesystem::path& path, const std::function<void(ImageSink&)>& read) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    FileSink sink(file);
    read(sink);
    sink.finish();
    file.close();
  });
}

std::filesystem::path image_file_path(const std::filesystem::path& folder, const std::string& name,
                                      DataSplit split) {
  return folder / fmt::format("{}-{}.h5", name, to_string(split));
}

ImageFile::ImageFile(const std::filesystem::path& path) : file_(open_prepared(path)) {
  if (!file_.has_attribute("/", "layout") || file_.read_attribute<std::string>("/", "layout") != layout) {
    throw Error(fmt::format("'{}' is no file of images of layout '{}'; write it with prepare_data",
                            path.string(), layout));
  }
  const std::vector<int64_t> dims = file_.shape_of_rows("images");
  const bool fits = dims.size() == 4 &&
                    std::all_of(dims.begin(), dims.end(), [](int64_t n) { return n > 0; }) &&
                    *std::max_element(dims.begin() + 1, dims.end()) <= largest_side;
  if (!fits) {
    throw Error(fmt::format("'{}' holds no images of N x H x W x C; write it with prepare_data again",
                            path.string()));
  }
  const auto text = [&](const char* name) { return file_.read_attribute<std::string>("/", name); };
  info_ = {.name = text("name"),
           .split = split_of(text("split")),
           .source = text("source"),
           .shape = {.height = dims[1], .width = dims[2], .channels = dims[3]},
           .count = dims[0],
           .left_out = file_.has_attribute("/", "left_out") ? file_.read_attribute<int64_t>("/", "left_out")
                                                            : 0,  // files of before have neither
           .origin = file_.has_attribute("/", "origin") ? text("origin") : ""};
  checksum_ = text("checksum");
}

void ImageFile::read_images(int64_t first, std::span<uint8_t> images) const {
  file_.read_rows("images", first, images);
}

std::vector<int64_t> ImageFile::read_labels() const {
  Hdf5Array<int64_t> labels = file_.read_dataset<int64_t>("labels");
  if (labels.dims != std::vector<int64_t>{info_.count}) {
    throw Error(fmt::format("'{}' has {} labels for {} images; write it with prepare_data again",
                            path().string(), labels.values.size(), info_.count));
  }
  return std::move(labels.values);
}

Dataset ImageFile::read_all() const {
  Dataset all;
  all.info = info_;
  all.images.resize(static_cast<size_t>(info_.count * info_.shape.size()));
  read_images(0, all.images);
  all.labels = read_labels();
  ContentCheck check(*this);
  check.add(all.images);
  check.finish();
  return all;
}

Hdf5File::Chunks ImageFile::chunks() const {
  return file_.chunks_of_rows("images");
}

void ContentCheck::add(std::span<const uint8_t> bytes) {
  crc_ = static_cast<uint32_t>(crc32_z(crc_, bytes.data(), bytes.size()));
}

void ContentCheck::finish() const {
  const std::string& expected = file_.checksum();
  if (!expected.starts_with(checksum_kind)) return;
  const std::string found = checksum_text(add_labels(crc_, file_.read_labels()));
  if (found == expected) return;
  throw Error(
      fmt::format("'{}' has the content {}, not {} as it says: it was changed since it was written; write it "
                  "with prepare_data again",
                  file_.path().string(), found, expected));
}

ImageFileReader::ImageFileReader(const ImageFile& file) : file_(file.path()), chunks_(file.chunks()) {
  chunk_.resize(static_cast<size_t>(chunks_.bytes) + sizeof(uint32_t));
}

void ImageFileReader::read(int64_t index, std::span<uint8_t> image) {
  const int64_t number = index / chunks_.rows;
  file_.read(chunks_.offsets.at(static_cast<size_t>(number)), chunk_);
  const auto values = std::span<const uint8_t>(chunk_).first(static_cast<size_t>(chunks_.bytes));
  uint32_t stored = 0;
  for (size_t i = 0; i < sizeof stored; ++i) {
    stored |= uint32_t{chunk_[values.size() + i]} << (8 * i);
  }
  if (fletcher32(values) != stored) {
    throw Error(fmt::format("image {} of '{}' is damaged; write the file with prepare_data again", index,
                            file_.path().string()));
  }
  const auto from = values.subspan(static_cast<size_t>(index % chunks_.rows) * image.size(), image.size());
  std::copy(from.begin(), from.end(), image.begin());
}

uint32_t fletcher32(std::span<const uint8_t> bytes) {
  // A sum that is a multiple of 65535 is kept as 65535, as in ones' complement; 0 means that all was 0.
  const auto reduce = [](uint64_t sum) { return sum == 0 ? 0 : (sum - 1) % 65535 + 1; };
  constexpr size_t block = 2 * 4096;  // bytes whose sums fit 64 bits by far
  uint64_t sum1 = 0, sum2 = 0;
  for (size_t start = 0; start < bytes.size(); start += block) {
    const size_t end = std::min(bytes.size(), start + block);
    for (size_t i = start; i < end; i += 2) {
      sum1 += uint32_t{bytes[i]} << 8 | (i + 1 < end ? uint32_t{bytes[i + 1]} : 0);
      sum2 += sum1;
    }
    sum1 = reduce(sum1);
    sum2 = reduce(sum2);
  }
  return static_cast<uint32_t>(sum2 << 16 | sum1);
}

}  // namespace ebm
