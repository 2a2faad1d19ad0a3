// SPDX-License-Identifier: MIT
#pragma once
// MNIST and its kin (Fashion-MNIST, ...): IDX files, plain or gzipped.
//
//   {train,t10k}-images-idx3-ubyte[.gz]   big-endian: 0x00000803, count, height, width; then the pixels
//   {train,t10k}-labels-idx1-ubyte[.gz]   big-endian: 0x00000801, count; then the labels, 0..9
//
// Some mirrors have a dot before "idx", or put each file into a folder of its own name.

#include <filesystem>
#include <string>

#include "data/dataset.h"

namespace ebm {

/// Reads the split (train or test) of the data set `name` in `folder`. Throws Error on missing, truncated or
/// damaged files, and on labels that are no digit.
void read_mnist(const std::filesystem::path& folder, const std::string& name, DataSplit split,
                ImageSink& sink);

}  // namespace ebm
