// SPDX-License-Identifier: MIT
#include "methods/registry.h"

#include "methods/ebm_bb_options.h"
#include "methods/gan_options.h"
#include "methods/meg_options.h"
#include "methods/mle_options.h"
#include "methods/vera_options.h"
#include "models/statistics.h"

namespace ebm {

namespace {

constexpr MethodRow rows[] = {
    {.name = "ebm_bb", .title = "EBM-BB", .choose = choose_ebm_bb},
    {.name = "ebm_0gp", .title = "EBM-0GP", .choose = choose_ebm_0gp},
    {.name = "wgan_0gp", .title = "WGAN-0GP", .choose = choose_wgan_0gp},
    {.name = "meg", .title = "MEG", .choose = choose_meg},
    {.name = "vera", .title = "VERA", .choose = choose_vera},
    {.name = "dcgan", .title = "DCGAN", .choose = choose_dcgan},
    {.name = "sngan", .title = "SNGAN", .choose = choose_sngan},
};

/// A yardstick for energies of points: maximum likelihood, without a generator.
constexpr MethodRow rows_of_points[] = {{.name = "mle", .title = "MLE", .choose = choose_mle}};

constexpr Interval<double> beta_range{0, 0.999999};

}  // namespace

std::span<const MethodRow> methods() {
  return rows;
}

const MethodRow& method_row(const std::string& name) {
  std::string names;
  for (const std::span<const MethodRow> list :
       {std::span<const MethodRow>(rows), std::span<const MethodRow>(rows_of_points)}) {
    for (const MethodRow& row : list) {
      if (name == row.name) return row;
      names += (names.empty() ? "" : ", ") + std::string(row.name);
    }
  }
  throw UsageError("'" + name + "' is no method; give one of " + names);
}

std::vector<std::pair<std::string, std::string>> method_choices(NetworkKind networks) {
  std::vector<std::pair<std::string, std::string>> list;
  for (const MethodRow& row : rows) list.emplace_back(row.name, row.name);
  if (networks == NetworkKind::toy)
    for (const MethodRow& row : rows_of_points) list.emplace_back(row.name, row.name);
  return list;
}

void declare_training(Options& options, TrainingOptions& training) {
  options.add("batch", &training.batch, "samples per iteration, B, of all processes together", {2, 1 << 20});
  options.add("seed", &training.seed, "of all random numbers", {0, INT64_MAX});
  options.add_choice(
      "precision", &training.precision, choices(precision_names),
      "tf32: products and convolutions on a GPU; bf16: activations too, on any device; the bounds' "
      "Jacobian (--jacobian) and the parameters are never rounded so");
  options.add("energy_steps", &training.energy_steps, "of an iteration, each on a batch of its own",
              {1, 1000});
  options.add("generator_steps", &training.generator_steps, "of an iteration", {1, 1000});
  options.add("sync_batch_norm", &training.optimiser.sync_batch_norm,
              "batch statistics are those of all processes' samples, not of each one's own");
  options.add_choice("gradient_compression", &training.optimiser.gradient_travel,
                     choices(gradient_compression_names),
                     "how gradients go from process to process: rounded to bfloat16 they are half the bytes");
  options.add_choice("initial", &training.initial, choices(initial_names),
                     "weights: PyTorch's defaults, N(0, 0.02^2), orthogonal, or Glorot's");
}

void declare_optimiser(Options& options, TrainingOptions& training) {
  OptimiserOptions& optimiser = training.optimiser;
  options.group("Optimiser (defaults depend on --method and --preset)");
  options.add("lr_energy", &training.lr_energy, "Adam's rate for the energy", not_negative);
  options.add("lr_generator", &training.lr_generator, "Adam's rate for the generator", not_negative);
  options.add("adam_beta1", &optimiser.adam.beta1, "decay of the mean gradient", beta_range);
  options.add("adam_beta2", &optimiser.adam.beta2, "decay of the mean squared gradient", beta_range);
  options.add("adam_epsilon", &optimiser.adam.epsilon, "added to the root of the mean square", positive);
  options.add("weight_decay", &optimiser.weight_decay, "times the parameters is added to their gradients",
              not_negative);
  options.add_choice(
      "lr_schedule", &optimiser.schedule.kind, choices(rate_schedule_names),
      "of all rates: as they are, down to 0 over --lr-horizon iterations, or down in two steps");
  options.add("lr_horizon", &optimiser.schedule.horizon,
              "iterations until the rates are 0; 0: those of the run, as it was first started",
              {0, INT64_MAX});
  options.add("lr_step_factor", &optimiser.schedule.step_factor, "steps: of the rates at each", {0, 1});
  options.add("lr_first_step", &optimiser.schedule.first_step, "steps: where, as a share of the horizon",
              {0, 1});
  options.add("lr_second_step", &optimiser.schedule.second_step, "steps: likewise", {0, 1});
  options.add("warm_up", &optimiser.schedule.warm_up, "iterations over which the rates grow from 0",
              {0, INT64_MAX});
  options.add(
      "ema", &optimiser.ema,
      "decay of an exponential moving average of the parameters, which samples and measures are of; 0: "
      "none",
      {0, 0.999999999});
  options.add("clip_gradient_norm", &optimiser.clip_gradient_norm,
              "longest gradient of each network; 0: any length", not_negative);
}

NetworkMakers makers_of(const NetworkOptions& networks) {
  return {.energy = [networks] { return energy_layers(networks); },
          .generator = [networks] { return generator_layers(networks); },
          .statistics = [networks] { return statistics_layers(networks); }};
}

std::unique_ptr<Method> assemble(Kernels& kernels, const NetworkOptions& networks, const MethodChoice& choice,
                                 DataSource& data, NoiseSource* noise) {
  NetworkOptions adapted = networks;
  choice.adapt(adapted);
  return choice.make(kernels, makers_of(adapted), data, noise);
}

}  // namespace ebm
