// SPDX-License-Identifier: MIT
#include "evaluate/open_image_features.h"

#include "evaluate/classifier_features.h"

namespace ebm {

std::unique_ptr<ImageFeatures> open_image_features(Kernels& kernels, const FeatureOptions& options) {
  if (options.kind == FeatureKind::classifier)
    return std::make_unique<ClassifierFeatures>(kernels, options.classifier);
  throw Error("there are no Inception weights '" + options.inception +
              "'; get them with data/fetch.sh inception, or compare by --features classifier");
}

}  // namespace ebm
