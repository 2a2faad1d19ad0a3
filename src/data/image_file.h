// SPDX-License-Identifier: MIT
#pragma once
// This project's own file of images, which prepare_data writes and every program reads
// (docs/formats.md): HDF5 with images (uint8, N x H x W x C), labels (int64, N) and what they are as
// attributes.

#include <filesystem>
#include <functional>

#include "data/dataset.h"
#include "data/input_file.h"
#include "io/hdf5_file.h"

namespace ebm {

/// Writes the file with the images that `read` pours into the sink it is given: whole, or not at all. Throws
/// Error, and what `read` throws.
void write_image_file(const std::filesystem::path& path, const std::function<void(ImageSink&)>& read);

/// The name that prepare_data gives the file of a data set's split: "FOLDER/NAME-SPLIT.h5".
std::filesystem::path image_file_path(const std::filesystem::path& folder, const std::string& name,
                                      DataSplit split);

/// A file of images, open for reading.
class ImageFile {
 public:
  /// Throws Error when it is missing (saying how to get it), damaged or of another layout.
  explicit ImageFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const DatasetInfo& info() const { return info_; }
  /// "crc32:89abcdef" of the images and labels, as the file says: tells one content from another.
  const std::string& checksum() const { return checksum_; }

  /// Images first, first + 1, ..., as many as fill `images`.
  void read_images(int64_t first, std::span<uint8_t> images) const;
  std::vector<int64_t> read_labels() const;
  /// All of it. Throws Error when the content is not that of the checksum (ContentCheck).
  Dataset read_all() const;

  /// See Hdf5File: for reading without HDF5.
  Hdf5File::Chunks chunks() const;

 private:
  Hdf5File file_;
  DatasetInfo info_;
  std::string checksum_;
};

/// Whether the images that are read of a file, all of them in their order, and its labels are those of its
/// checksum: another program may have changed them and left the attribute. A file written elsewhere whose
/// checksum is no crc32 is taken at its word.
class ContentCheck {
 public:
  explicit ContentCheck(const ImageFile& file) : file_(file) {}

  /// The next bytes of the images.
  void add(std::span<const uint8_t> bytes);
  /// After all of them. Throws Error when the content is another.
  void finish() const;

 private:
  const ImageFile& file_;
  uint32_t crc_ = 0;
};

/// Reads single images of a file of images, in any order, without HDF5: so that another thread may. Not for
/// several threads at once.
class ImageFileReader {
 public:
  /// Throws Error when the file's images are not stored as write_image_file stores them.
  explicit ImageFileReader(const ImageFile& file);

  /// Throws Error when the disk fails or the image's checksum does not agree.
  void read(int64_t index, std::span<uint8_t> image);

 private:
  InputFile file_;
  Hdf5File::Chunks chunks_;
  std::vector<uint8_t> chunk_;  // the last one read, and its checksum
};

/// The checksum that HDF5's filter Fletcher32 puts behind a chunk: over the 16-bit big-endian words of
/// `bytes` (the last one filled up with 0), sum1 of the words and sum2 of the sum1s, both modulo 65535
/// (in 1..65535 unless all is 0), as sum2 : sum1.
uint32_t fletcher32(std::span<const uint8_t> bytes);

}  // namespace ebm
