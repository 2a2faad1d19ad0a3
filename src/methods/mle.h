// SPDX-License-Identifier: MIT
// Maximum likelihood of an energy of points in the plane: what its network can reach without a generator. One
// iteration is a step of E against  mean E(x) + log Z^,  log Z^ by importance sampling from half the data's density,
// which is known, and half a uniform one on the square of the pictures (kernels/formulas/sample_weights.h).
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
  View data_rows() const { return points_.row_range(0, training_.batch); }
  View square_rows() const { return points_.row_range(training_.batch, training_.batch); }

  ToyDensity density_;
  Learner energy_;
  Tensor points_, energies_, energies_bar_;  // 2 B: data, then points of the square
  Buffer<double> log_density_;               // 2 B: of the mixture
  std::unique_ptr<Trace> trace_;
  Draw square_;
  EnergyScalars n_;
};

}  // namespace ebm
