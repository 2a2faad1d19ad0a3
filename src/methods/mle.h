// SPDX-License-Identifier: MIT
// Maximum likelihood of an energy of points in the plane: what its network can reach without a generator. One
// iteration is a step of E against  mean E(x) + log Z^,  log Z^ by importance sampling (kernels/formulas/
// sample_weights.h) from the data's density, which is known, the same with wider noise, and a uniform one on the
// square of the pictures, a third each.
#pragma once

#include <memory>

#include "methods/energy_step.h"

namespace ebm {

class Mle final : public Method {
 public:
  /// Makes all buffers. `data` and `noise` (null: Philox) must outlive the method. Throws UsageError where the data's
  /// density is not known, and on several steps an iteration.
  Mle(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const TrainingOptions& training,
      NoiseSource* noise = nullptr);

  Network& energy() { return energy_.network(); }

  std::unique_ptr<Sampler> sampler(int64_t chunk) override;
  /// None: there is no generator.
  std::vector<NamedSampler> samplers(int64_t) override { return {}; }

 protected:
  void run(Watcher* watcher) override;

 private:
  /// Part 0: the data, 1: points near them, 2: of the square.
  View part(int64_t i) const { return points_.row_range(i * training_.batch, training_.batch); }

  ToyDensity density_, widened_;
  Learner energy_;
  Tensor points_, energies_, energies_bar_;  // 3 B
  Buffer<double> log_density_;               // 3 B: of the mixture
  std::unique_ptr<Trace> trace_;
  Draw near_, square_;
  SharedRows<float> all_energies_, all_energies_bar_;  // of all ranks
  SharedRows<double> all_log_density_;
  EnergyScalars n_;
};

}  // namespace ebm
