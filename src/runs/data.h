// SPDX-License-Identifier: MIT
// The data of a run, in batches for all energy steps of an iteration.
#pragma once

#include <memory>

#include "data/image_data.h"
#include "data/shapes.h"
#include "data/toy.h"
#include "models/networks.h"
#include "train/method.h"

namespace ebm {

std::unique_ptr<DataSource> make_toy_data(Kernels& kernels, ToyDataset dataset,
                                          const TrainingOptions& training);
/// Of the images of `file`, which must outlive the source.
std::unique_ptr<DataSource> make_file_data(Kernels& kernels, const ImageFile& file, Flips flips,
                                           const TrainingOptions& training);
/// Data that need no file, for any networks: 25 Gaussians for toy, else images of shapes.
std::unique_ptr<DataSource> make_up_data(Kernels& kernels, const NetworkOptions& networks,
                                         const TrainingOptions& training);

}  // namespace ebm
