// SPDX-License-Identifier: MIT
// Measures of a trained model on images: its samples, its generator's Jacobian, its energies.
#pragma once

#include <functional>

#include "data/image_file.h"
#include "evaluate/digit_classifier.h"
#include "evaluate/jacobian_monitor.h"
#include "metrics/detection.h"
#include "metrics/mode_counting.h"
#include "sampling/sampler.h"

namespace ebm {

/// Is told how many of all rows are done; may throw to end a measure.
using Told = std::function<void(int64_t done)>;

/// Modes of `count` samples of digits, each channel of an image one (metrics/mode_counting.h: uniform_modes).
/// z is a function of the seed. Throws Error on samples that are no images of 28 x 28.
CountedModes count_modes(Kernels& kernels, Sampler& sampler, DigitClassifier& classifier, ClassifierMode mode,
                         int64_t count, uint64_t seed, const Told& told);

/// The Jacobian's numbers at `count` latent points, rounded up to whole batches of the monitor, a function of
/// the seed.
JacobianNumbers measure_jacobian(Kernels& kernels, JacobianMonitor& monitor, const Features& latent,
                                 int64_t count, uint64_t seed, const Told& told);

/// Energies of the first `most` images of a file. Throws Error on images of another shape.
std::vector<float> energies_of(EnergyFunction& energy, const ImageFile& file, int64_t most, const Told& told);

}  // namespace ebm
