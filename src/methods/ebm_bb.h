// SPDX-License-Identifier: MIT
// EBM-BB, the game of the paper: one iteration is a step of the energy E against an upper bound of the negative
// log-likelihood, then a step of the generator G against a lower bound (docs/method.md, "One iteration").
// EBM-0GP and WGAN-0GP are choices of its entropy bound and its penalty.
#pragma once

#include <memory>
#include <optional>

#include "bounds/entropy_bound.h"
#include "methods/energy_step.h"

namespace ebm {

/// Whose latent points the generator's entropy term uses: those of the energy step (the authors' image code)
/// or its own.
enum class EntropyPoints { energy, generator };

struct EbmBbOptions {
  TrainingOptions training;
  std::optional<EntropyBoundOptions> lower;  ///< none: a GAN without entropy term
  EnergyPenaltyOptions upper;
  double entropy_weight = 1;
  EntropyPoints entropy_points = EntropyPoints::generator;
};

/// Throws UsageError on options that do not go together.
void check(const EbmBbOptions& options);

class EbmBb final : public Method {
 public:
  /// Makes all buffers. `data` and `noise` (null: Philox) must outlive the method. Throws Error on shapes that
  /// do not fit.
  EbmBb(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const EbmBbOptions& options,
        NoiseSource* noise = nullptr);

  const EbmBbOptions& options() const { return options_; }
  Network& energy() { return energy_.network(); }
  Network& generator() { return generator_.network(); }
  EntropyBound* lower() { return lower_.get(); }  ///< null without entropy term

  std::vector<ExtraState> extra_state() override;
  /// share_bound_above_entropy, with an entropy term: the share of B samples whose bound exceeds
  /// 1/2 log det J^T J.
  std::vector<Measure> exact_measures(int64_t points) override;

 protected:
  void run(Watcher* watcher) override;

 private:
  /// What the energy step takes of the Jacobian at its z: nothing, J v0, or all of the entropy bound.
  enum class AtEnergyStep { nothing, product, bound };
  /// Where the generator's entropy gradient comes from: nowhere; the energy step's bound, with the score that
  /// its penalty needs, or apart from it; its own latent points.
  enum class EntropyGradient { none, with_score, of_energy_step, of_own_points };

  bool weighs_samples() const { return options_.upper.samples == SampleWeighting::importance; }
  void make_plan();
  void make_draws();
  /// The energy step's z.
  ConstView energy_latents(int64_t step);
  void draw_for_energy_step();
  void draw_for_generator_step();
  void energy_forward(int64_t step);
  void finish_bound();
  void energy_backward();
  void generator_forward(int64_t step);
  void generator_backward();
  void entropy_gradient(View z_bar);
  void tell_energy_step(Watcher& watcher);
  void tell_generator_step(Watcher& watcher);

  EbmBbOptions options_;
  Learner energy_, generator_;
  std::unique_ptr<EntropyBound> lower_;
  std::unique_ptr<EnergyPenalty> upper_;
  std::unique_ptr<Trace> generator_trace_, energy_trace_;  // batch statistics; E on the generator's samples

  AtEnergyStep at_energy_step_ = AtEnergyStep::nothing;
  EntropyGradient gradient_ = EntropyGradient::none;

  Draw z_, v0_, p0_, alpha_, e_;
  Tensor z_widened_;          // z of the energy step, where some are drawn wider
  WideLatents wide_of_rank_;  // of these rows
  Draw z_generator_, v0_generator_, p0_generator_, e_generator_;
  Tensor z_score_;                                     // grad_z of the entropy value, where it is not 0
  Tensor samples_, samples_bar_, generator_energies_;  // the generator step's
  Tensor shares_;                                      // 1/B, B times
  Buffer<float> entropy_factor_;
  SharedRows<float> entropies_, good_, floored_, all_generator_energies_;  // of all ranks
  struct {
    EnergyScalars energy;
    float *entropy, *share_good, *share_floored, *loss_generator;
  } n_;  // numbers
};

}  // namespace ebm
