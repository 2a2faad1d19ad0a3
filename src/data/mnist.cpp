// SPDX-License-Identifier: MIT
#include "data/mnist.h"

#include <fmt/format.h>

#include <array>

#include "data/input_file.h"

namespace ebm {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t images_magic = 0x803, labels_magic = 0x801;  // unsigned bytes in 3 dimensions, in 1
constexpr int64_t classes = 10;

/// "images-idx3-ubyte" of a split in `folder`, or in a folder that is called so.
fs::path find_file(const fs::path& folder, const std::string& name) {
  std::string dotted = name;
  dotted[dotted.find("-idx")] = '.';
  std::error_code ignored;
  for (const std::string& spelling : {name, dotted}) {
    for (const fs::path& place : {folder, folder / name, folder / dotted}) {
      for (const char* suffix : {"", ".gz"}) {
        const fs::path path = place / (spelling + suffix);
        if (fs::exists(path, ignored) && !fs::is_directory(path, ignored)) return path;
      }
    }
  }
  throw Error(
      fmt::format("there is neither '{}' nor '{}.gz' in '{}', nor '{}'; name the folder that holds them",
                  name, name, folder.string(), dotted));
}

/// An IDX file, read up to its first value.
class IdxFile {
 public:
  IdxFile(const fs::path& path, uint32_t magic)
      : file_(path), stream_(file_, 0, file_.size(), gzip_or_none(file_)) {
    const uint32_t found = read_number();
    if (found != magic) {
      throw unusable(
          path, fmt::format("it begins with {:#010x}, an IDX file of this kind with {:#010x}", found, magic));
    }
    int64_t values = 1;
    for (uint32_t i = 0; i < (magic & 0xFF); ++i) {
      sizes_[i] = read_number();
      values *= sizes_[i] <= max_of_one_size ? sizes_[i] : 0;
    }
    if (values <= 0 || values > stream_.at_most()) {
      throw unusable(path, fmt::format("its header claims {} x {} x {} values, which it cannot hold",
                                       sizes_[0], sizes_[1], sizes_[2]));
    }
  }

  int64_t size(size_t dimension) const { return sizes_[dimension]; }
  ByteStream& stream() { return stream_; }
  const fs::path& path() const { return file_.path(); }

 private:
  static constexpr int64_t max_of_one_size = 1 << 20;  // so that three of them do not overflow

  uint32_t read_number() {
    std::array<uint8_t, 4> bytes;
    stream_.read(bytes, "its header");
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
  }

  InputFile file_;
  ByteStream stream_;
  std::array<int64_t, 3> sizes_{1, 1, 1};
};

}  // namespace

void read_mnist(const fs::path& folder, const std::string& name, DataSplit split, ImageSink& sink) {
  require_split(name, split, {DataSplit::train, DataSplit::test});
  const std::string prefix = split == DataSplit::train ? "train" : "t10k";
  IdxFile images(find_file(folder, prefix + "-images-idx3-ubyte"), images_magic);
  IdxFile labels(find_file(folder, prefix + "-labels-idx1-ubyte"), labels_magic);
  const int64_t count = images.size(0);
  if (labels.size(0) != count) {
    throw unusable(labels.path(), fmt::format("it has {} labels for the {} images of '{}'", labels.size(0),
                                              count, images.path().string()));
  }
  const Features shape{.height = images.size(1), .width = images.size(2), .channels = 1};
  sink.begin({.name = name,
              .split = split,
              .source = images.path().filename().string() + ", " + labels.path().filename().string(),
              .shape = shape,
              .count = count});
  std::vector<uint8_t> pixels(static_cast<size_t>(shape.size()));
  for (int64_t i = 0; i < count; ++i) {
    const std::string what = fmt::format("item {} of {}", i, count);
    uint8_t label = 0;
    images.stream().read(pixels, what);
    labels.stream().read({&label, 1}, what);
    if (label >= classes) {
      throw unusable(labels.path(),
                     fmt::format("item {} has label {}, {} has classes 0..{}", i, label, name, classes - 1));
    }
    sink.add(pixels, label);
  }
  images.stream().require_end();
  labels.stream().require_end();
}

}  // namespace ebm
