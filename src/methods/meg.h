// SPDX-License-Identifier: MIT
// MEG, maximum entropy generators (Kumar et al. 2019): an energy E, and a generator G whose entropy is kept
// large through the mutual information of z and G(z), which a third network T(x, z) estimates
// (docs/method.md, "MEG").
#pragma once

#include <memory>

#include "methods/energy_step.h"

namespace ebm {

/// What the gradient penalty takes the mean over: all of ||grad_x E(x)||^2 is one number a sample, or one a
/// pixel, of its channels (the original code, whose penalty of an image is H W times smaller).
enum class PenaltyNorm { flat, channel };

struct MegOptions {
  TrainingOptions training;
  double penalty_weight = 0.01;
  PenaltyNorm penalty_norm = PenaltyNorm::flat;
  double information_weight = 1;
  double lr_statistics = 2e-4;
};

class Meg final : public Method {
 public:
  /// Makes all buffers. `data` and `noise` (null: Philox) must outlive the method. Throws Error on shapes
  /// that do not fit.
  Meg(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const MegOptions& options,
      NoiseSource* noise = nullptr);

  const MegOptions& options() const { return options_; }

 protected:
  void run(Watcher* watcher) override;

 private:
  Network& energy() { return energy_.network(); }
  Network& generator() { return generator_.network(); }
  Network& statistics() { return statistics_.network(); }

  void energy_forward(int64_t step);
  void energy_backward();
  void generator_forward(int64_t step);
  void generator_backward();
  void energy_of_samples();
  void information();

  MegOptions options_;
  Learner energy_, generator_, statistics_;
  std::unique_ptr<EnergyPenalty> energy_loss_;
  std::unique_ptr<Trace> generator_trace_, energy_trace_, statistics_trace_;

  Draw z_, z_generator_, pairing_;
  Tensor samples_, samples_bar_, generator_energies_;                 // the generator step's x~2
  Tensor shares_;                                                     // 1/B, B times
  Tensor permuted_;                                                   // z2 in the order of the pairing
  Tensor pairs_, pairs_bar_;                                          // [x~2 | z2], then [x~2 | permuted z2]
  Tensor logits_, logits_bar_;                                        // T of the pairs
  SharedRows<float> all_energies_, all_keys_, all_z_, all_permuted_;  // of all ranks
  SharedRows<float> all_logits_, all_logits_bar_;
  struct {
    EnergyScalars energy;
    float *loss_statistics, *loss_generator;
  } n_;  // numbers
};

}  // namespace ebm
