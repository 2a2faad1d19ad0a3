// SPDX-License-Identifier: MIT
#pragma once
// A folder of pictures: FOLDER/.../NAME.{jpg,jpeg,png,webp}. The label of a picture is the rank of the first
// folder under FOLDER on its path, among all of these in alphabetical order (0 for pictures in FOLDER
// itself).

#include <filesystem>
#include <string>

#include "data/picture_queue.h"

namespace ebm {

struct ImageFolderOptions {
  std::filesystem::path folder;
  std::string name;           ///< of the data set
  double valid_share = 0.15;  ///< of the pictures: a random choice, a function of the seed
  uint64_t seed = 1;          ///< of that choice and of the crops
  int64_t side = 64;
};

/// Reads the split: train (cropped at random along the longer edge) or valid (cropped at the centre), in the
/// alphabetical order of the paths. Throws Error when there is no picture or one cannot be decoded.
void read_image_folder(const ImageFolderOptions& options, DataSplit split, ImageSink& sink);

}  // namespace ebm
