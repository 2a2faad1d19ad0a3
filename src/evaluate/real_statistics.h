// SPDX-License-Identifier: MIT
// What generated images are compared with: the moments, perhaps the features, of a file's first images. They cost as
// much as a model's samples and are the same for all models, so they are kept in a cache (docs/formats.md).
#pragma once

#include <filesystem>

#include "evaluate/image_sets.h"
#include "metrics/moments.h"

namespace ebm {

/// With the features of each image, or without.
enum class RealContent { moments, features };

struct RealStatistics {
  Moments moments;
  SetFeatures set;  ///< features alone; empty where they were not asked for
};

/// Of the first `count` images of `file`. `cache` is a folder, which is made: what lies there of the same images, by
/// their checksum, and the same features, by their name, is taken; what is damaged or not there is computed and
/// kept. A cache that cannot be written is a note on stderr. Throws Error as features_of_file does.
RealStatistics real_statistics(ImageFeatures& features, const ImageFile& file, int64_t count,
                               RealContent content, const std::filesystem::path& cache, const Told& told);

}  // namespace ebm
