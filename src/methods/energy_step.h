// SPDX-License-Identifier: MIT
// What the energy steps of methods with an EnergyPenalty share.
#pragma once

#include "bounds/energy_penalty.h"
#include "train/method.h"

namespace ebm {

/// weight mean ||grad_x E||^2 at data points, without a hinge; no penalty if the weight is 0.
EnergyPenaltyOptions penalty_on_data(double weight);

/// The numbers energy_real, energy_fake, penalty, loss_energy.
EnergyScalars add_energy_numbers(Numbers& numbers);

/// Tells a watcher E(x), E(x~) and E' along the directions.
void tell_energies(Watcher& watcher, const EnergyPenalty& penalty);

/// 1/B, `rows` times: the cotangents of a mean over a batch of B samples of which `rows` are this rank's.
Tensor mean_weights(Kernels& kernels, int64_t rows, int64_t batch);

}  // namespace ebm
