// SPDX-License-Identifier: MIT
// Adversarial games without an entropy term, DCGAN and SNGAN: the energy learns to tell data from samples, as
// a classifier D = -E; the generator learns to make samples that it takes for data (docs/method.md,
// "Adversarial losses"). DCGAN: softplus. SNGAN: the hinge, and an energy whose weights have a spectral norm.
#pragma once

#include <memory>
#include <vector>

#include "parallel/shared_rows.h"
#include "train/method.h"

namespace ebm {

struct GanOptions {
  TrainingOptions training;
  GanLoss loss = GanLoss::softplus;
  int64_t generator_batch = 0;  ///< samples of a generator step; 0: as many as data points of an energy step
};

class Gan final : public Method {
 public:
  /// Makes all buffers. `data` and `noise` (null: Philox) must outlive the method. Throws Error on shapes
  /// that do not fit.
  Gan(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const GanOptions& options,
      NoiseSource* noise = nullptr);

  const GanOptions& options() const { return options_; }
  Network& energy() { return energy_.network(); }
  Network& generator() { return generator_.network(); }

 protected:
  void run(Watcher* watcher) override;

 private:
  void begin();
  void energy_samples(int64_t step);
  void energy_forward(int64_t step);
  void energy_backward();
  void generator_forward(int64_t step);
  void generator_backward();

  /// x and x~ of an energy step, one after the other; those of the next step lie elsewhere.
  View pair(int64_t step) const { return pairs_.row_range(step % 2 * 2 * batch(), 2 * batch()); }
  View real(int64_t step) const { return pair(step).row_range(0, batch()); }
  View fake(int64_t step) const { return pair(step).row_range(batch(), batch()); }
  int64_t batch() const { return training_.batch; }

  GanOptions options_;
  Learner energy_, generator_;
  int64_t whole_generator_batch_, generator_batch_;  // of all ranks, of this one

  std::vector<std::unique_ptr<Trace>> pair_traces_;  // E on x and x~: as one batch, or a batch each
  std::unique_ptr<Trace> samples_trace_;             // G in energy steps
  std::unique_ptr<Trace> generator_trace_, generator_energy_trace_;

  Draw z_, z_generator_;
  Tensor pairs_;                    // of two energy steps
  Tensor energies_, energies_bar_;  // E(x), then E(x~)
  Tensor samples_, samples_bar_;    // the generator step's
  Tensor generator_energies_, generator_energies_bar_;
  SharedRows<float> all_energies_, all_energies_bar_;  // of all ranks: E(x), then E(x~)
  SharedRows<float> all_generator_energies_, all_generator_energies_bar_;
  struct {
    float *energy_real, *energy_fake, *loss_energy, *loss_generator;
  } n_;  // numbers
};

}  // namespace ebm
