// SPDX-License-Identifier: MIT
#pragma once
// A folder of pictures, FOLDER/CLASS/.../NAME.{jpg,jpeg,jfif,png,webp} or FOLDER/NAME.{...}, as
// data/picture_files.h finds and labels them.

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
  Damaged damaged = Damaged::refuse;
};

/// Reads the split: train (cropped at random along the longer edge) or valid (cropped at the centre), in the
/// alphabetical order of the paths. Which split a picture belongs to and where it is cropped hang on its
/// number among all pictures, damaged ones included. Throws Error when there is no picture, DamagedPictures.
void read_image_folder(const ImageFolderOptions& options, DataSplit split, ImageSink& sink);

}  // namespace ebm
