// SPDX-License-Identifier: MIT
#pragma once
// The batches of a file of images, as training draws them: each image once an epoch, in an order that is a
// function of (seed, epoch) alone (kernels/formulas/images.h), as numbers in [-1, 1], at random mirrored left
// to right. No dequantisation.
//
// Training never waits for them. A data set that fits is kept on the device as bytes, and a draw is one
// formula. Of a larger one a thread reads the next batches ahead into page-locked memory, from where they
// travel to the device in the order of the queue.

#include <memory>

#include "data/data_source.h"
#include "data/image_file.h"
#include "kernels/formulas/rank_rows.h"

namespace ebm {

struct ImageDataOptions {
  RankRows share{.rows = 64};  ///< of each batch
  int64_t steps = 1;           ///< of a batch
  uint64_t seed = 1;
  Flips flips = Flips::none;
  /// The largest data set, in bytes, that is kept on the device as a whole.
  int64_t max_resident_bytes = int64_t{2} << 30;
};

/// Opens the images of `file`. Throws Error when the file is damaged, its images are kept as a whole and not
/// those of its checksum, or they are read ahead and not stored as prepare_data stores them. Of images that
/// are read ahead each one's chunk is held against its own checksum when it is read.
std::unique_ptr<DataSource> make_image_data(Kernels& kernels, const ImageFile& file,
                                            const ImageDataOptions& options);

}  // namespace ebm
