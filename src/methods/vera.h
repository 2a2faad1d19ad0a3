// SPDX-License-Identifier: MIT
// VERA (Grathwohl et al. 2021): a generator with noise, x~ = g(h) + sigma eps, has a density everywhere, and
// the gradient of its entropy comes from importance samples of the h that may have made x~ (docs/method.md,
// "VERA"). One iteration is a step of the energy E, one of g and sigma on the same samples, and one of the
// importance samples' spread.
#pragma once

#include <memory>
#include <optional>

#include "methods/energy_step.h"

namespace ebm {

struct VeraOptions {
  TrainingOptions training;
  double penalty_weight = 0.1;
  double entropy_weight = 1e-4;
  int64_t importance_samples = 20;  ///< of each sample, K
  double lr_posterior = 2e-4;
  double sigma_min = 0.01, sigma_max = 0.3;
  double first_sigma = 0.01;      ///< that training starts with, clamped to these limits
  double first_post_sigma = 0.1;  ///< the spread of the importance samples that it starts with
};

/// Throws UsageError on options that do not go together.
void check(const VeraOptions& options);

class Vera final : public Method {
 public:
  /// Of the networks E and g. Makes all buffers. `data` and `noise` (null: Philox) must outlive the method.
  /// Throws UsageError on more than one generator step and on limits of sigma that exclude each other, Error
  /// on shapes that do not fit.
  Vera(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const VeraOptions& options,
       NoiseSource* noise = nullptr);

  const VeraOptions& options() const { return options_; }
  Network& energy() { return energy_.network(); }
  Network& generator() { return generator_.network(); }  ///< g(h) + sigma e of rows [h | e]

  /// The last iteration's x~ and what it took for -grad log p(x~), B x D.
  ConstView samples() const { return upper_->samples(); }
  ConstView score() const { return score_; }

  /// x = g(h).
  std::unique_ptr<Sampler> sampler(int64_t chunk) override;
  /// Also "noisy": g(h) + sigma eps.
  std::vector<NamedSampler> samplers(int64_t chunk) override;
  /// g: what the copy that is made at the first call has is copied anew at each.
  Network& measured_generator() override;

 protected:
  void run(Watcher* watcher) override;

 private:
  void make_draws(const Features& latent, const Features& image);
  void draw_for_energy_step();
  void energy_forward(int64_t step);
  void energy_backward();
  void estimate_score();
  void generator_step();
  void posterior_step();
  void mean_of(ConstView h, View y);

  VeraOptions options_;
  LayerMaker make_mean_;         // g
  std::optional<Network> mean_;  // g alone, once it was measured
  Learner energy_, generator_, posterior_;
  std::unique_ptr<EnergyPenalty> upper_;
  std::unique_ptr<Trace> samples_trace_, means_trace_, energy_trace_;  // batch statistics; E on the samples
  const Parameter &logsigma_, &post_logsigma_;

  Draw z_, noise_, importance_, posterior_noise_;
  Tensor inputs_, mean_inputs_;     // B x (d + D): [h | eps], [h | 0]
  Tensor points_, means_;           // K B x d, K B x D: h_k, g(h_k); then h', g(h') in the first rows
  Buffer<double> log_ratios_;       // K B
  Tensor weights_;                  // B x K
  Tensor effective_, entropies_;    // B x 1: 1 / sum_k w_k^2, <c, x~>
  Tensor score_, samples_bar_;      // B x D: c; a cotangent of x~, or of g(h')
  Tensor energies_;                 // B x 1: E(x~) of the energy just updated
  Tensor inputs_bar_, points_bar_;  // B x (d + D), B x d: cotangents of [h' | 0] and of h'
  Buffer<double> surprises_;        // B: -log N(x~; g(h'), sigma^2 I) - log N(h'; 0, I)
  Tensor shares_;                   // 1/B, B times
  SharedRows<float> all_energies_, all_entropies_, all_effective_;  // of all ranks
  SharedRows<double> all_surprises_;
  Buffer<float> rank_share_;  // 1 / (number of ranks), where there are several
  struct {
    EnergyScalars energy;
    float *entropy, *effective_samples, *sigma, *loss_posterior, *loss_generator;
  } n_;  // numbers
};

}  // namespace ebm
