// SPDX-License-Identifier: MIT
#include "evaluate/model_measures.h"

#include <algorithm>

#include "evaluate/image_values.h"
#include "sampling/latent_points.h"

namespace ebm {

namespace {

constexpr uint32_t mode_stream = 2, jacobian_stream = 3;  // `sample` has 0 and 1

/// Channel c of each image in [-1, 1], as images in [0, 1] one after the other: N C x H W.
std::vector<float> channels_of(const std::vector<float>& images, const Features& shape) {
  const int64_t pixels = shape.pixels(), channels = shape.channels, count = std::ssize(images) / shape.size();
  std::vector<float> planes;
  planes.reserve(images.size());
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t pixel = 0; pixel < pixels; ++pixel)
        planes.push_back(images[static_cast<size_t>((i * pixels + pixel) * channels + c)] / 2 + 0.5f);
    }
  }
  return planes;
}

std::vector<float> rows_of(const std::vector<float>& all, int64_t first, int64_t rows, int64_t columns) {
  return {all.begin() + first * columns, all.begin() + (first + rows) * columns};
}

}  // namespace

std::vector<int64_t> sampled_digits(Kernels& kernels, Sampler& sampler, ImageClassifier& classifier,
                                    const SampledDigits& what, const Told& told) {
  const Features shape = sampler.output();
  if (shape.height != 28 || shape.width != 28)
    throw Error("modes are counted of digits of 28x28, not of " + to_string(shape));
  const int64_t d = sampler.latent().size();
  const int64_t count = what.count;
  const std::vector<float> z = latent_points(kernels, what.seed, mode_stream, count, sampler.latent());
  std::vector<int64_t> digits;
  constexpr int64_t chunk = 1000;
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t rows = std::min(chunk, count - first);
    const std::vector<float> images = sampler.samples(rows_of(z, first, rows, d));
    const std::vector<int64_t> found = classifier.classes_of(channels_of(images, shape), what.mode);
    digits.insert(digits.end(), found.begin(), found.end());
    told(first + rows);
  }
  return digits;
}

std::vector<float> mode_samples(Kernels& kernels, Sampler& sampler, int64_t count, uint64_t seed) {
  return sampler.samples(latent_points(kernels, seed, mode_stream, count, sampler.latent()));
}

std::vector<int64_t> digits_of_labels(const std::vector<int64_t>& labels, int64_t channels) {
  std::vector<int64_t> digits(labels.size() * static_cast<size_t>(channels));
  for (size_t i = 0; i < labels.size(); ++i) {
    int64_t rest = labels[i];
    for (int64_t c = channels; c-- > 0; rest /= 10)
      digits[i * static_cast<size_t>(channels) + static_cast<size_t>(c)] = rest % 10;
    if (labels[i] < 0 || rest != 0)
      throw Error("the label " + std::to_string(labels[i]) + " is no number of " + std::to_string(channels) +
                  " digits; give images of digits, as prepare_data writes them");
  }
  return digits;
}

JacobianNumbers measure_jacobian(Kernels& kernels, JacobianMonitor& monitor, const Features& latent,
                                 int64_t count, uint64_t seed, const Told& told) {
  const int64_t batch = monitor.points(), all = (count + batch - 1) / batch * batch;
  const std::vector<float> z = latent_points(kernels, seed, jacobian_stream, all, latent);
  std::vector<JacobianNumbers> points;
  for (int64_t first = 0; first < all; first += batch) {
    const std::vector<JacobianNumbers> found = monitor.at(rows_of(z, first, batch, latent.size()));
    points.insert(points.end(), found.begin(), found.end());
    told(first + batch);
  }
  return summary(points);
}

std::vector<float> energies_of(EnergyFunction& energy, const ImageFile& file, int64_t most,
                               const Told& told) {
  const Features shape = file.info().shape;
  if (!(shape == energy.input())) {
    throw Error(file.path().string() + " has images of " + to_string(shape) + ", this model is of " +
                to_string(energy.input()) + "; prepare them with that size");
  }
  const int64_t count = std::min(most, file.info().count);
  std::vector<float> energies;
  constexpr int64_t chunk = 256;
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t rows = std::min(chunk, count - first);
    const std::vector<float> found = energy.energies(image_values(file, first, rows));
    energies.insert(energies.end(), found.begin(), found.end());
    told(first + rows);
  }
  return energies;
}

}  // namespace ebm
