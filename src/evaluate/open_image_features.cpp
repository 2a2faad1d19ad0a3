// SPDX-License-Identifier: MIT
#include "evaluate/open_image_features.h"

#include "evaluate/classifier_features.h"
#include "evaluate/inception_features.h"

namespace ebm {

std::unique_ptr<ImageFeatures> open_image_features(Kernels& kernels, const FeatureOptions& options) {
  if (options.kind == FeatureKind::classifier)
    return std::make_unique<ClassifierFeatures>(kernels, options.classifier);
  return open_inception(kernels, options.inception, {.resize = resize_named(options.resize)});
}

}  // namespace ebm
