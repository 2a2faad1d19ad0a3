// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "evaluate/inception_features.h"
#include "kernels/kernels.h"

namespace ebm {

/// Whose features: those of the Inception network that all papers' scores are of, or of a classifier trained here.
enum class FeatureKind { inception, classifier };

struct FeatureOptions {
  FeatureKind kind = FeatureKind::inception;
  std::string inception = inception_file;  ///< weights
  std::string resize = "tf";               ///< tf, legacy_torch or clean
  std::string classifier;                  ///< a classifier's file
};

/// `kernels` must outlive it. Throws Error, which says how to get the weights, where they are not there.
std::unique_ptr<ImageFeatures> open_image_features(Kernels& kernels, const FeatureOptions& options);

}  // namespace ebm
