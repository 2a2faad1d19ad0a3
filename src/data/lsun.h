// SPDX-License-Identifier: MIT
#pragma once
// LSUN: one LMDB database of encoded pictures (JPEG or WebP) for each class and split,
// CLASS_{train,val}_lmdb/data.mdb.

#include <filesystem>
#include <string>

#include "data/picture_queue.h"

namespace ebm {

struct LsunOptions {
  std::filesystem::path folder;  ///< that holds CLASS_train_lmdb and CLASS_val_lmdb
  std::string name;              ///< CLASS, which names the data set too: "bedroom"
  int64_t most = 0;              ///< only so many pictures, the first ones; 0: all
  uint64_t seed = 1;             ///< of the crops
  int64_t side = 64;
  Damaged damaged = Damaged::refuse;
};

/// Reads the split: train (cropped at random along the longer edge) or valid (cropped at the centre), in the
/// order of the keys; all labels are 0. Records that do not begin as a picture does (a count, a list of keys,
/// an empty value) are left out, and those after them numbered as if they were not there. Throws Error on
/// missing or damaged files, DamagedPictures.
void read_lsun(const LsunOptions& options, DataSplit split, ImageSink& sink);

}  // namespace ebm
