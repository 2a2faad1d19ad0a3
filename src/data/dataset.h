// SPDX-License-Identifier: MIT
#pragma once
// A data set of images, and whoever takes one: each reader (mnist.h, cifar.h, ...) pours the images of its
// format into an ImageSink: a Dataset in memory, or a file of this project's own layout (image_file.h).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/view.h"

namespace ebm {

/// The parts that data sets come in.
enum class DataSplit { train, valid, test, extra };

const char* to_string(DataSplit split);
/// Throws Error when it is none of these.
DataSplit split_of(const std::string& text);

/// Throws Error unless `split` is one of those that the data set `name` has.
void require_split(const std::string& name, DataSplit split, const std::vector<DataSplit>& has);

struct DatasetInfo {
  std::string name;  ///< "cifar10"
  DataSplit split = DataSplit::train;
  std::string source = {};  ///< what it was read from, for people
  Features shape = {};      ///< of an image: H x W x C
  int64_t count = 0;        ///< of images; while they come, the most that may
  int64_t left_out = 0;     ///< pictures and records that did not become images (see LeftOut)
  std::string origin = {};  ///< what it was read from, for programs: "KIND:ABSOLUTE PATH"; "" if unknown
  std::string note = {};    ///< what the reader passed over from the start, for people; not stored
};

/// Why something that lies between the pictures of a data set does not become an image.
enum class LeftOut {
  damaged,    ///< a picture that cannot be read or decoded
  no_picture  ///< a record of a database that never was a picture
};

class ImageSink {
 public:
  virtual ~ImageSink() = default;
  /// What is coming: called once, first. `info.count` images are to follow, less those left out.
  virtual void begin(const DatasetInfo& info) = 0;
  /// The next image, H x W x C in memory, and its label.
  virtual void add(std::span<const uint8_t> pixels, int64_t label) = 0;
  /// Something does not become an image: `what` and why, for people.
  virtual void leave_out(LeftOut why, const std::string& what) = 0;
};

/// A data set in memory.
struct Dataset final : ImageSink {
  DatasetInfo info;
  std::vector<uint8_t> images;  ///< N x H x W x C
  std::vector<int64_t> labels;  ///< N

  void begin(const DatasetInfo& what) override;
  void add(std::span<const uint8_t> pixels, int64_t label) override;
  void leave_out(LeftOut why, const std::string& what) override;

  std::span<const uint8_t> image(int64_t i) const {
    const auto size = static_cast<size_t>(info.shape.size());
    return std::span(images).subspan(static_cast<size_t>(i) * size, size);
  }
};

}  // namespace ebm
