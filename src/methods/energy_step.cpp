// SPDX-License-Identifier: MIT
#include "methods/energy_step.h"

#include <vector>

namespace ebm {

EnergyPenaltyOptions penalty_on_data(double weight) {
  return {.kind = weight > 0 ? EnergyPenaltyKind::gp_real : EnergyPenaltyKind::none,
          .weight = weight,
          .normaliser = PenaltyNormaliser::none,
          .hinge = 0};
}

EnergyScalars add_energy_numbers(Numbers& numbers) {
  using enum NumberRole;
  EnergyScalars scalars{};
  scalars.energy_real = numbers.add("energy_real", shown);
  scalars.energy_fake = numbers.add("energy_fake", shown);
  scalars.penalty = numbers.add("penalty", shown);
  scalars.loss = numbers.add("loss_energy", loss);
  return scalars;
}

void tell_energies(Watcher& watcher, const EnergyPenalty& penalty) {
  watcher.see("energy_real", penalty.energy_real());
  watcher.see("energy_fake", penalty.energy_fake());
  if (const ConstView directional = penalty.directional(); !directional.empty())
    watcher.see("directional", directional);
}

Tensor mean_weights(Kernels& kernels, int64_t rows, int64_t batch) {
  Tensor weights(kernels, rows, flat(1));
  weights.upload(std::vector<float>(static_cast<size_t>(rows), 1 / static_cast<float>(batch)));
  return weights;
}

}  // namespace ebm
