// SPDX-License-Identifier: MIT
#pragma once
// CIFAR-10 and CIFAR-100 in their binary version: records of one label (CIFAR-100: the coarse one, then the
// fine one) and 3 x 32 x 32 bytes, plane after plane (red, green, blue).

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace ebm {

/// What tells one CIFAR from the other. The last byte of `label_bytes` is the label that is kept.
struct CifarFormat {
  std::string name;
  std::string folder;              ///< that the official archive unpacks to
  std::vector<std::string> train;  ///< file names
  std::vector<std::string> test;
  int64_t label_bytes;
  int64_t classes;
  int64_t train_records;  ///< of each file
  int64_t test_records;
};
CifarFormat cifar10_format();
CifarFormat cifar100_format();

/// Reads the split (train or test) from `folder`, or the official archive's folder inside it. Throws Error on
/// missing, truncated or damaged files.
void read_cifar(const std::filesystem::path& folder, const CifarFormat& format, DataSplit split,
                ImageSink& sink);

}  // namespace ebm
