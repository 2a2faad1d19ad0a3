// SPDX-License-Identifier: MIT
#include "methods/gan_options.h"

#include "methods/own_networks.h"

namespace ebm {

namespace {

bool of_images(NetworkKind networks) {
  return networks == NetworkKind::dcgan || networks == NetworkKind::resnet;
}

class GanChoice final : public MethodChoice {
 public:
  GanChoice(const GanOptions& options, const OwnNetworks& networks, WeightNorm weight_norm)
      : options_(options), networks_(networks), weight_norm_(weight_norm) {}

  TrainingOptions& training() override { return options_.training; }

  void declare(Options& options) override {
    options.group("GAN (defaults depend on --method and --preset)");
    options.add("generator_batch", &options_.generator_batch,
                "samples of a generator step; 0: as many as --batch", {0, 1 << 20});
    networks_.declare(options);
  }

  void check() const override {
    if (options_.generator_batch == 1)
      throw UsageError(
          "--generator-batch 1: a batch norm has no statistics of one sample; give at least 2, or 0");
  }

  void adapt(NetworkOptions& networks) const override {
    networks.weight_norm = weight_norm_;
    networks.family = networks_.family();
  }

  std::unique_ptr<Method> make(Kernels& kernels, const NetworkMakers& networks, DataSource& data,
                               NoiseSource* noise) const override {
    return std::make_unique<Gan>(kernels, networks, data, options_, noise);
  }

 private:
  GanOptions options_;
  OwnNetworks networks_;
  WeightNorm weight_norm_;
};

}  // namespace

GanOptions dcgan_options(NetworkKind networks, Preset preset) {
  GanOptions options{.training = {}, .loss = GanLoss::softplus};
  TrainingOptions& training = options.training;
  training.batch = networks == NetworkKind::toy ? 200 : 64;
  training.energy_steps = 2;
  training.lr_energy = training.lr_generator = 2e-4;
  training.optimiser.adam = {.beta1 = 0.5, .beta2 = 0.999, .epsilon = 1e-6};
  if (of_images(networks)) {
    training.initial = Initial::orthogonal;
  } else if (preset == Preset::paper) {
    // Nothing is known of such a run but that it used Table 11's optimiser; loss and steps are the method's.
    training.optimiser.adam = {.beta1 = 0, .beta2 = 0.9, .epsilon = 1e-8};
  }
  return options;
}

GanOptions sngan_options(NetworkKind networks, Preset) {
  GanOptions options{.training = {}, .loss = GanLoss::hinge};
  TrainingOptions& training = options.training;
  const bool toy = networks == NetworkKind::toy;
  training.batch = toy ? 200 : 64;
  training.energy_steps = 5;
  // Upstream's rate and betas are also those of Table 11 for points and MNIST.
  training.lr_energy = training.lr_generator = 2e-4;
  training.optimiser.adam = {.beta1 = 0, .beta2 = 0.9, .epsilon = 1e-8};
  training.optimiser.schedule.kind = RateSchedule::Kind::linear;
  // Twice upstream's batch of images; of points there are as many as of any other method.
  options.generator_batch = toy ? 0 : 128;
  if (of_images(networks)) training.initial = Initial::glorot;
  return options;
}

std::unique_ptr<MethodChoice> choose_dcgan(NetworkKind networks, Preset preset) {
  return std::make_unique<GanChoice>(dcgan_options(networks, preset),
                                     OwnNetworks(NetworkFamily::dcgan, networks, preset), WeightNorm::none);
}
std::unique_ptr<MethodChoice> choose_sngan(NetworkKind networks, Preset preset) {
  return std::make_unique<GanChoice>(sngan_options(networks, preset),
                                     OwnNetworks(NetworkFamily::sngan, networks, preset),
                                     WeightNorm::spectral);
}

}  // namespace ebm
