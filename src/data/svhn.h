// SPDX-License-Identifier: MIT
#pragma once
// SVHN, cropped digits: {train,test,extra}_32x32.mat, MATLAB files of version 5 with the arrays
//   X   uint8, 32 x 32 x 3 x N (MATLAB's order: the row runs fastest, then column, channel, image)
//   y   N labels 1..10, where 10 is the digit 0; of any numeric class

#include <filesystem>

#include "data/dataset.h"

namespace ebm {

/// Reads the split (train, test or extra) from `folder`; the label is the digit. Throws Error on missing,
/// truncated or damaged files.
void read_svhn(const std::filesystem::path& folder, DataSplit split, ImageSink& sink);

}  // namespace ebm
