// SPDX-License-Identifier: MIT
#include "runs/toy_run.h"

#include <cstdio>

#include "io/program.h"
#include "runs/data.h"
#include "runs/job.h"
#include "runs/trained_model.h"

namespace ebm {

namespace {

std::string name_of_run(const ToyConfig& config, const ToyExperiment& experiment) {
  return std::string(experiment.name) + "_" + name_of(config.dataset, toy_dataset_names) + "_" +
         config.run.method + "_" + name_of(config.run.preset, preset_names) + "_" +
         std::to_string(config.run.training().seed);
}

}  // namespace

Options declare_toy_options(ToyConfig& config, const ToyExperiment& experiment) {
  Options options(experiment.program, experiment.description);
  config.dataset = experiment.dataset;
  config.networks = experiment.networks;
  config.networks.width = usual_width(config.run, experiment.networks);
  config.run.choice->suggest(config.networks);
  config.evaluation = experiment.evaluation;
  config.run.schedule.iterations = usual_toy_iterations(config.run.preset);
  options.group("Data and networks (Table 6)");
  options.add_choice("dataset", &config.dataset, choices(toy_dataset_names), "points of the plane");
  record_network_kind(options, config.networks);
  options.add("hidden", &config.networks.width, "width of the hidden layers", {1, 65536});
  add_network_choices(options, config.networks);
  add_run_options(options, config.run);
  options.group("Evaluation");
  options.add("eval_grid", &config.evaluation.grid, "cells along each axis of [-4, 4]^2", {10, 4000},
              Scope::placement);
  options.add("eval_points", &config.evaluation.points, "held-out data points, and samples of G",
              {100, 10000000}, Scope::placement);
  options.add_choice("picture_format", &config.evaluation.picture,
                     {{"png", PictureFormat::png}, {"svg", PictureFormat::svg}, {"pdf", PictureFormat::pdf}},
                     "of density pictures", Scope::placement);
  return options;
}

void resolve_toy_defaults(Options& options, ToyConfig& config, const ToyExperiment& experiment) {
  options.set_default("hidden", usual_width(config.run, experiment.networks));
  if (config.run.out.empty()) options.set_default("out", "runs/" + name_of_run(config, experiment));
  resolve_run_defaults(options, config.run, idle_choices(adapted(config.networks, config.run)));
  require_full_rank(*generator_layers(config.networks), *config.run.choice,
                    {.latent = {}, .width = "--hidden"});
}

ToyResult run_toy(Kernels& kernels, const ToyConfig& config, const Options& options,
                  const std::vector<NameValue>& environment) {
  const RunConfig& run = config.run;
  const auto data = make_toy_data(kernels, config.dataset, run.training());
  if (follows(run)) return {follow_run(*assemble(kernels, config.networks, *run.choice, *data), run), {}};
  const RunFolder folder(run.out);
  const auto resumed = resume_point(folder, options);
  const auto method = assemble(kernels, config.networks, *run.choice, *data);

  const std::string name = run.method + " on " + name_of(config.dataset, toy_dataset_names);
  ToyEvaluation evaluation(*method, config.dataset, config.evaluation, folder, name);
  const RunEnd end = run_training(*method, evaluation, folder, name, run, options, environment, resumed);
  if (!end.stop) std::printf("%s", evaluation.sandwich().c_str());
  return {end, evaluation.panels()};
}

int run_toy_experiment(const ToyExperiment& experiment, int argc, const char* const* argv) {
  return run_job(experiment.program, [&](HostRanks* ranks) {
    ToyConfig config;
    choose_method(config.run, experiment.networks.kind, experiment.program,
                  [&](Options& first) { first.peek(argc, argv); });
    config.run.take(ranks);
    Options options = declare_toy_options(config, experiment);
    options.offer_print_config();
    if (!options.parse(argc, argv)) return 0;
    resolve_toy_defaults(options, config, experiment);
    if (options.asked_to_print_config()) {
      print(options.to_toml());
      return 0;
    }

    if (ranks != nullptr) require_same(*ranks, options.to_toml());
    const RunDevice device = open_run_device(config.run);
    Kernels& kernels = *device.kernels;
    std::printf("device: %s\n", kernels.description().c_str());
    std::fflush(stdout);
    const auto environment = run_environment(argc, argv, kernels, ranks);
    const RunEnd end = run_toy(kernels, config, options, environment).end;
    if (end.stop) return report_stop(*end.stop, end.iteration);
    std::printf("done: %s iterations; picture %s/density%s, metrics %s/run.h5\n",
                format_count(end.iteration).c_str(), config.run.out.c_str(),
                ending_of(config.evaluation.picture), config.run.out.c_str());
    return 0;
  });
}

}  // namespace ebm
