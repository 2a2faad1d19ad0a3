// SPDX-License-Identifier: MIT
// Inception score, Frechet distance, kernel distance, precision and recall of a run's samples (metrics/). All of one
// repeat share its samples' features.
#pragma once

#include <array>

#include "evaluate/image_features.h"
#include "evaluate/image_sets.h"
#include "evaluate/open_image_features.h"
#include "runs/measured_run.h"

namespace ebm {

enum class SetMeasure { score, frechet_distance, kernel_distance, precision_recall };
inline constexpr std::array set_measures{SetMeasure::score, SetMeasure::frechet_distance,
                                         SetMeasure::kernel_distance, SetMeasure::precision_recall};

struct SetOptions {
  FeatureKind kind = FeatureKind::inception;
  SampleValues values = SampleValues::bytes;
  int64_t samples = 10000;  ///< where real images are compared with, as many as there are at most
  std::string in;           ///< the file of real images
  int64_t score_splits = 10;
  int64_t kernel_subsets = 100, kernel_subset_size = 1000;
  int64_t clusterings = 10;  ///< of precision and recall
  int64_t seed = 1, repeats = 3;
};

/// What a measure is called in evaluation.h5: "is", "fid", "kid", "prd" by Inception's features. By a classifier's
/// it is another number, and has another name: "classifier_score", "classifier_frechet", ...
std::string name_of(SetMeasure measure, FeatureKind kind);

/// Measures a run in these ways. Throws UsageError when real images are needed and there are none, Error.
void compare_sets(Kernels& kernels, MeasuredRun& run, ImageFeatures& features,
                  const std::vector<SetMeasure>& measures, const SetOptions& options);

}  // namespace ebm
