// SPDX-License-Identifier: MIT
// Features of sets of images, samples' and real ones, from which the sets are compared (metrics/).
#pragma once

#include "data/image_file.h"
#include "evaluate/image_features.h"
#include "evaluate/told.h"
#include "metrics/feature_rows.h"
#include "sampling/sampler.h"

namespace ebm {

struct SetFeatures {
  int64_t dim = 0, classes = 0;
  std::vector<float> features;  ///< N x dim
  std::vector<float> logits;    ///< N x classes

  FeatureRows rows() const { return {features, dim}; }
  FeatureRows class_scores() const { return {logits, classes}; }
};

/// The first `count` of them.
FeatureRows first_rows(const FeatureRows& rows, int64_t count);

/// Samples in [-1, 1] as a picture of them has them: the nearest byte to 127.5 (x + 1). Throws Error on NaN.
std::vector<uint8_t> image_bytes(const std::vector<float>& samples);
/// 127.5 (x + 1). Throws Error on NaN.
std::vector<float> image_numbers(const std::vector<float>& samples);

/// What samples are before features are taken of them: rounded to the bytes of a picture, as torch-fidelity takes
/// images, or 127.5 (x + 1) as it is, as the authors' code does.
enum class SampleValues { bytes, floats };

struct SampleSet {
  int64_t count;
  uint64_t seed;  ///< of z
  SampleValues values = SampleValues::bytes;
};
/// Of so many samples. Throws Error on NaN.
SetFeatures features_of_samples(Kernels& kernels, Sampler& sampler, ImageFeatures& features,
                                const SampleSet& samples, const Told& told);

/// Of the first `count` images of a file. Where these are all, throws Error when they are not those of the
/// file's checksum (ContentCheck).
SetFeatures features_of_file(ImageFeatures& features, const ImageFile& file, int64_t count, const Told& told);

}  // namespace ebm
