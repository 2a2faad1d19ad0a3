// SPDX-License-Identifier: MIT
#pragma once
// Numeric arrays of a MATLAB file of version 5, read as a stream: the last index is the slowest, so images
// come one after another whatever the file's size. (matio reads whole arrays, and takes a cut file for
// whole.)
//
// A file is 128 bytes of header, then elements: a tag {uint32 type, uint32 bytes} and its data. An element is
// an array, or a zlib stream of one. An array's data are elements again, each padded to 8 bytes: flags,
// dimensions, name, values. Data of up to 4 bytes sit inside the tag: {uint16 type, uint16 bytes, data}.

#include <memory>
#include <string>
#include <vector>

#include "data/input_file.h"

namespace ebm {

class MatArray {
 public:
  /// How the values are stored, whatever class they have in MATLAB: it writes whole numbers in few bytes.
  enum class Storage : uint32_t {
    int8 = 1,
    uint8,
    int16,
    uint16,
    int32,
    uint32,
    float32,
    float64 = 9,
    int64 = 12,
    uint64
  };

  /// The array `name` of `file`, which must outlive this. Throws Error when there is none, it is damaged, is
  /// stored otherwise or claims more values than the file can hold.
  MatArray(const InputFile& file, const std::string& name);

  const std::vector<int64_t>& dims() const { return dims_; }
  int64_t count() const { return count_; }
  Storage storage() const { return storage_; }

  /// The next `bytes.size()` bytes of the values. Throws Error.
  void read(std::span<uint8_t> bytes, const std::string& what);
  /// To be called when all values were read: throws Error unless the array ends there, unharmed.
  void require_end();
  /// All values, as numbers. Throws Error.
  std::vector<double> read_all();

 private:
  struct Tag {
    uint32_t type = 0, bytes = 0;
    bool is_small = false;
  };
  bool open(const InputFile& file, int64_t offset, int64_t size, ByteStream::Compression compression,
            const std::string& name);
  Tag read_tag();
  std::vector<uint8_t> read_element(uint32_t type);

  const std::filesystem::path& path_;
  std::unique_ptr<ByteStream> stream_;  // at the values
  std::vector<int64_t> dims_;
  int64_t count_ = 0;
  int64_t padding_ = 0;  // bytes after the values
  Storage storage_ = Storage::uint8;
};

}  // namespace ebm
