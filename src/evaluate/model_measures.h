// SPDX-License-Identifier: MIT
// Measures of a trained model on images: its samples, its generator's Jacobian, its energies.
#pragma once

#include "data/image_file.h"
#include "evaluate/image_classifier.h"
#include "evaluate/jacobian_monitor.h"
#include "evaluate/told.h"
#include "metrics/detection.h"
#include "metrics/mode_counting.h"
#include "sampling/sampler.h"

namespace ebm {

struct SampledDigits {
  int64_t count;  ///< of samples
  uint64_t seed;  ///< of z
  ClassifierMode mode = ClassifierMode::evaluated;
};
/// The digits of samples, each channel of an image one: count x channels, for metrics/mode_counting.h. Throws
/// Error on samples that are no images of 28 x 28.
std::vector<int64_t> sampled_digits(Kernels& kernels, Sampler& sampler, ImageClassifier& classifier,
                                    const SampledDigits& what, const Told& told);

/// Samples of latent points that are a function of the seed, the same as sampled_digits takes: count x features.
std::vector<float> mode_samples(Kernels& kernels, Sampler& sampler, int64_t count, uint64_t seed);

/// The Jacobian's numbers at `count` latent points, rounded up to whole batches of the monitor, a function of
/// the seed.
JacobianNumbers measure_jacobian(Kernels& kernels, JacobianMonitor& monitor, const Features& latent,
                                 int64_t count, uint64_t seed, const Told& told);

/// Digits of StackedMNIST's labels (or of MNIST's, with one channel), the highest one first: N x channels.
/// Throws Error on a label that has more digits.
std::vector<int64_t> digits_of_labels(const std::vector<int64_t>& labels, int64_t channels);

/// Energies of the first `most` images of a file. Throws Error on images of another shape.
std::vector<float> energies_of(EnergyFunction& energy, const ImageFile& file, int64_t most, const Told& told);

}  // namespace ebm
