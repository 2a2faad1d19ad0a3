// SPDX-License-Identifier: MIT
#include "evaluate/image_sets.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "plot/image_grid.h"
#include "sampling/latent_points.h"

namespace ebm {

namespace {

constexpr uint32_t sample_stream = 4;  // evaluate/model_measures.cpp has the others
constexpr int64_t chunk = 100;         // images at a time

void refuse_nan(const std::vector<float>& samples) {
  if (std::any_of(samples.begin(), samples.end(), [](float x) { return std::isnan(x); }))
    throw Error("a sample has a pixel that is not a number; was the model's training sound?");
}

/// The place of `count` more images' features, and their logits.
template <class Pixel>
void compute(ImageFeatures& from, const std::vector<Pixel>& images, int64_t count, const Features& shape,
             SetFeatures& set) {
  const size_t features = set.features.size(), logits = set.logits.size();
  set.features.resize(features + static_cast<size_t>(count * set.dim));
  set.logits.resize(logits + static_cast<size_t>(count * set.classes));
  from.compute(images, count, shape, set.features.data() + features, set.logits.data() + logits);
}

SetFeatures empty_set(const ImageFeatures& of, int64_t count) {
  SetFeatures set{.dim = of.features(), .classes = of.classes(), .features = {}, .logits = {}};
  set.features.reserve(static_cast<size_t>(count * set.dim));
  set.logits.reserve(static_cast<size_t>(count * set.classes));
  return set;
}

}  // namespace

FeatureRows first_rows(const FeatureRows& rows, int64_t count) {
  return {rows.values.first(static_cast<size_t>(count * rows.dim)), rows.dim};
}

std::vector<uint8_t> image_bytes(const std::vector<float>& samples) {
  refuse_nan(samples);
  std::vector<uint8_t> bytes(samples.size());
  std::transform(samples.begin(), samples.end(), bytes.begin(), grey_level);
  return bytes;
}

std::vector<float> image_numbers(const std::vector<float>& samples) {
  refuse_nan(samples);
  std::vector<float> numbers(samples.size());
  std::transform(samples.begin(), samples.end(), numbers.begin(), [](float x) { return 127.5f * (x + 1); });
  return numbers;
}

SetFeatures features_of_samples(Kernels& kernels, Sampler& sampler, ImageFeatures& features,
                                const SampleSet& samples, const Told& told) {
  const int64_t d = sampler.latent().size(), count = samples.count;
  const std::vector<float> z = latent_points(kernels, samples.seed, sample_stream, count, sampler.latent());
  SetFeatures set = empty_set(features, count);
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t rows = std::min(chunk, count - first);
    const std::vector<float> images =
        sampler.samples({z.begin() + first * d, z.begin() + (first + rows) * d});
    if (samples.values == SampleValues::bytes)
      compute(features, image_bytes(images), rows, sampler.output(), set);
    else
      compute(features, image_numbers(images), rows, sampler.output(), set);
    told(first + rows);
  }
  return set;
}

SetFeatures features_of_file(ImageFeatures& features, const ImageFile& file, int64_t count,
                             const Told& told) {
  const Features shape = file.info().shape;
  std::optional<ContentCheck> check;
  if (count == file.info().count) check.emplace(file);
  SetFeatures set = empty_set(features, count);
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t rows = std::min(chunk, count - first);
    std::vector<uint8_t> images(static_cast<size_t>(rows * shape.size()));
    file.read_images(first, images);
    if (check) check->add(images);
    compute(features, images, rows, shape, set);
    told(first + rows);
  }
  if (check) check->finish();
  return set;
}

}  // namespace ebm
