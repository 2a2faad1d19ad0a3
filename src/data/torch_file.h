// SPDX-License-Identifier: MIT
// Files that torch.save writes of a state_dict: names of arrays, and their numbers. Both formats are read,
// the zip archive (PyTorch 1.6 and later) and the older one, one pickle after another
// (_use_new_zipfile_serialization=False), without Python: a pickle is read as data (data/pickle.h), and what
// no state_dict needs is refused by its name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace ebm {

class TorchFile {
 public:
  /// Reads the whole file. Throws Error when it cannot be read, is cut or damaged, is no state_dict of
  /// arrays, or its arrays are of other numbers than float32, float16 and int64.
  explicit TorchFile(const std::filesystem::path& path);
  /// The same of bytes that are in memory; the path is for messages alone.
  TorchFile(std::filesystem::path path, std::vector<uint8_t> bytes);
  TorchFile(TorchFile&&) = default;
  TorchFile(const TorchFile&) = delete;
  TorchFile& operator=(const TorchFile&) = delete;
  TorchFile& operator=(TorchFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The SHA-256 of the file, in hexadecimal.
  std::string sha256() const;

  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Throw Error when there is no array of that name.
  const std::vector<int64_t>& shape(const std::string& name) const { return tensor(name).shape; }
  /// Its numbers in the order of its indices, the last one fastest, rounded to float32 where they are
  /// integers.
  std::vector<float> values(const std::string& name) const;

 private:
  enum class Number { float32, float16, int64 };
  /// Numbers one after another in the file.
  struct Storage {
    Number number;
    int64_t count;
    std::span<const uint8_t> bytes;
  };
  struct Tensor {
    std::string storage;
    int64_t first;
    std::vector<int64_t> shape, strides;
  };
  class Reader;

  const Tensor& tensor(const std::string& name) const;
  static bool is_contiguous(const Tensor& tensor);

  std::filesystem::path path_;
  std::vector<uint8_t> bytes_;
  std::map<std::string, Storage> storages_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace ebm
