// SPDX-License-Identifier: MIT
#include "runs/toy_run.h"

#include "models/toy.h"

namespace ebm {

namespace {

std::string name_of_run(const ToyConfig& config) {
  return "toy_" + name_of(config.dataset, toy_dataset_names) + "_" +
         name_of(config.run.method, method_names) + "_" + name_of(config.run.preset, preset_names) + "_" +
         std::to_string(config.run.seed);
}

std::unique_ptr<Layer> generator_of(const ToyConfig& config) {
  return toy_generator(2, config.hidden);
}

}  // namespace

Options declare_toy_options(ToyConfig& config, const std::string& program, const std::string& description) {
  Options options(program, description);
  options.group("Data and networks (Table 6)");
  options.add_choice("dataset", &config.dataset, {toy_dataset_names.begin(), toy_dataset_names.end()},
                     "points of the plane");
  options.add("hidden", &config.hidden, "width of the hidden layers", {1, 65536});
  add_run_options(options, config.run);
  options.group("Evaluation");
  options.add("eval_grid", &config.evaluation.grid, "cells along each axis of [-4, 4]^2", {10, 4000},
              Scope::placement);
  options.add("eval_points", &config.evaluation.points, "held-out data points, and samples of G",
              {100, 10000000}, Scope::placement);
  return options;
}

void resolve_toy_defaults(Options& options, ToyConfig& config) {
  set_game_defaults(options, toy_options(config.run.method, config.run.preset));
  if (config.run.out.empty()) options.set_default("out", "runs/" + name_of_run(config));
  require_full_rank(*generator_of(config), config.run.game_options(), {.latent = {}, .width = "--hidden"});
}

ToyResult run_toy(Kernels& kernels, const ToyConfig& config, const Options& options,
                  const std::vector<NameValue>& environment) {
  const RunConfig& run = config.run;
  const GameOptions game_options = run.game_options();
  const RunFolder folder(run.out);
  const auto resumed = resume_point(folder, options);

  const OutputScale scale = run.preset == Preset::code ? OutputScale::learned : OutputScale::none;
  Network energy(kernels, toy_energy(config.hidden, scale));
  Network generator(kernels, generator_of(config));
  ToyData data(kernels, config.dataset, game_options.batch, game_options.seed,
               static_cast<uint32_t>(Stream::data));
  Game game(kernels, energy, generator, data, game_options);

  const std::string name =
      name_of(run.method, method_names) + " on " + name_of(config.dataset, toy_dataset_names);
  ToyEvaluation evaluation(game, config.dataset, config.evaluation, folder, name);
  const RunEnd end = run_training(game, evaluation, folder, name, run, options, environment, resumed);
  return {end, evaluation.panels()};
}

}  // namespace ebm
