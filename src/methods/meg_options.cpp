// SPDX-License-Identifier: MIT
#include "methods/meg_options.h"

#include "methods/own_networks.h"

namespace ebm {

namespace {

class MegChoice final : public MethodChoice {
 public:
  MegChoice(const MegOptions& options, NetworkKind kind, const OwnNetworks& networks)
      : options_(options), kind_(kind), networks_(networks) {}

  TrainingOptions& training() override { return options_.training; }

  void declare(Options& options) override {
    options.group("MEG (defaults depend on --preset)");
    options.add("penalty_weight", &options_.penalty_weight, "of mean ||grad_x E(x)||^2 in the energy's loss",
                not_negative);
    options.add_choice("penalty_norm", &options_.penalty_norm, choices(penalty_norm_names),
                       "||grad_x E(x)||^2 as a whole, or its mean over an image's pixels");
    options.add("information_weight", &options_.information_weight,
                "of the cross entropy that stands for the entropy in the generator's loss", not_negative);
    options.add("lr_statistics", &options_.lr_statistics, "Adam's rate for the statistics network",
                not_negative);
    if (kind_ == NetworkKind::toy) {
      options.add_choice("energy_output", &energy_output_, choices(energy_output_names),
                         "what the shared network's energy is of its last row; softplus: log(1 + exp)");
    }
    networks_.declare(options);
  }

  void check() const override {
    if (networks_.own() && energy_output_ != EnergyOutput::linear)
      throw UsageError("--energy-output softplus is of the shared networks; give --networks shared");
  }

  void adapt(NetworkOptions& networks) const override {
    networks.family = networks_.family();
    networks.energy_output = energy_output_;
  }

  std::unique_ptr<Method> make(Kernels& kernels, const NetworkMakers& networks, DataSource& data,
                               NoiseSource* noise) const override {
    return std::make_unique<Meg>(kernels, networks, data, options_, noise);
  }

 private:
  MegOptions options_;
  NetworkKind kind_;
  OwnNetworks networks_;
  EnergyOutput energy_output_ = EnergyOutput::linear;
};

}  // namespace

MegOptions meg_options(NetworkKind networks, Preset preset) {
  const bool toy = networks == NetworkKind::toy, flat = toy || networks == NetworkKind::mlp;
  const bool code = preset == Preset::code;
  MegOptions options;
  TrainingOptions& training = options.training;
  const bool fast = flat && !code;
  training.optimiser.adam = {.beta1 = fast ? 0 : 0.5, .beta2 = 0.9, .epsilon = 1e-8};
  training.lr_energy = training.lr_generator = options.lr_statistics = fast ? 2e-4 : 1e-4;
  training.energy_steps = fast ? 1 : 5;
  training.batch = toy ? (code ? 256 : 200) : 64;
  if (code) {
    options.penalty_weight = toy ? 0.1 : 10;
    options.penalty_norm = PenaltyNorm::channel;
    // which the original code has of convolutions alone, and of digits in the generator alone
    if (!flat) training.initial = Initial::normal;
  } else {
    options.penalty_weight = toy ? 0.01 : flat ? 10 : 0.1;
    if (flat && !toy) training.optimiser.weight_decay = 1e-5;
  }
  return options;
}

std::unique_ptr<MethodChoice> choose_meg(NetworkKind networks, Preset preset) {
  return std::make_unique<MegChoice>(meg_options(networks, preset), networks,
                                     OwnNetworks(NetworkFamily::meg, networks, preset));
}

}  // namespace ebm
