// SPDX-License-Identifier: MIT
#include "methods/vera_options.h"

#include "methods/own_networks.h"

namespace ebm {

namespace {

class VeraChoice final : public MethodChoice {
 public:
  VeraChoice(const VeraOptions& options, const OwnNetworks& networks)
      : options_(options), networks_(networks) {}

  TrainingOptions& training() override { return options_.training; }
  std::string generator_arrays() const override { return "generator/g."; }
  std::string noisy_arrays() const override { return "generator/"; }

  void declare(Options& options) override {
    options.group("VERA (defaults depend on --preset)");
    options.add("penalty_weight", &options_.penalty_weight, "of ||grad E(x)||^2 / 2 at data, pg_control",
                not_negative);
    options.add("entropy_weight", &options_.entropy_weight, "of the entropy in the generator's loss",
                not_negative);
    options.add("importance_samples", &options_.importance_samples,
                "latent points for each sample, which its score is estimated from", {1, 1000});
    options.add("lr_posterior", &options_.lr_posterior, "Adam's rate for the size of their spread",
                not_negative);
    options.add("sigma_min", &options_.sigma_min, "the least noise on samples", positive);
    options.add("sigma_max", &options_.sigma_max, "the most noise on samples", positive);
    options.add("first_sigma", &options_.first_sigma, "the noise that training starts with, within these",
                positive);
    options.add("first_post_sigma", &options_.first_post_sigma, "the spread that it starts with", positive);
    networks_.declare(options);
  }

  void check() const override { ebm::check(options_); }

  void adapt(NetworkOptions& networks) const override { networks.family = networks_.family(); }

  std::unique_ptr<Method> make(Kernels& kernels, const NetworkMakers& networks, DataSource& data,
                               NoiseSource* noise) const override {
    return std::make_unique<Vera>(kernels, networks, data, options_, noise);
  }

 private:
  VeraOptions options_;
  OwnNetworks networks_;
};

/// Grathwohl et al.'s own.
void take_upstream(VeraOptions& options, bool toy) {
  TrainingOptions& training = options.training;
  training.optimiser.adam.beta2 = 0.9;
  training.batch = toy ? 200 : 40;
  training.lr_energy = toy ? 1e-3 : 3e-5;
  training.lr_generator = toy ? 1e-3 : 6e-5;
  options.lr_posterior = toy ? 0.02 : 3e-5;
  options.penalty_weight = toy ? 0 : 0.1;
  options.entropy_weight = toy ? 1 : 1e-4;
  RateSchedule& schedule = training.optimiser.schedule;
  schedule.kind = RateSchedule::Kind::steps;  // at epochs 160 and 180 of 200
  if (toy) return;
  schedule.warm_up = 2500;
  schedule.first_step = 0.75;
  schedule.second_step = 0.875;
}

}  // namespace

VeraOptions vera_options(NetworkKind networks, Preset preset) {
  const bool toy = networks == NetworkKind::toy, mlp = networks == NetworkKind::mlp;
  VeraOptions options;
  TrainingOptions& training = options.training;
  training.batch = toy ? 200 : 64;
  training.lr_energy = training.lr_generator = options.lr_posterior = toy || mlp ? 2e-4 : 5e-5;
  training.optimiser.adam = {.beta1 = 0, .beta2 = toy || mlp ? 0.9 : 0.999, .epsilon = 1e-8};
  if (preset == Preset::code) take_upstream(options, toy);
  return options;
}

std::unique_ptr<MethodChoice> choose_vera(NetworkKind networks, Preset preset) {
  return std::make_unique<VeraChoice>(vera_options(networks, preset),
                                      OwnNetworks(NetworkFamily::vera, networks, preset));
}

}  // namespace ebm
