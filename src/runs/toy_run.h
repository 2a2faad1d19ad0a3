// SPDX-License-Identifier: MIT
// The experiment on points of the plane (section 5.2): a page in experiments/, what its users choose, and a run
// from its options to its end.
#pragma once

#include "evaluate/toy_evaluation.h"
#include "runs/run_config.h"

namespace ebm {

/// An experiment on points of the plane; what it says of data and evaluation are defaults.
struct ToyExperiment {
  const char* program;
  const char* description;
  const char* name;  ///< of its runs
  ToyDataset dataset;
  NetworkOptions networks;
  ToyEvaluationOptions evaluation;
};

/// Of a run: the paper's, or those that the rates of the preset `tuned` are for.
inline int64_t usual_toy_iterations(Preset preset) {
  return preset == Preset::tuned ? 26000 : 150000;
}

struct ToyConfig {
  RunConfig run;
  ToyDataset dataset = ToyDataset::gaussians25;
  NetworkOptions networks;
  ToyEvaluationOptions evaluation;
};

inline constexpr Names<ToyDataset, 3> toy_dataset_names{{{"25gaussians", ToyDataset::gaussians25},
                                                         {"swiss_roll", ToyDataset::swiss_roll},
                                                         {"two_moons", ToyDataset::two_moons}}};

/// The options of an experiment whose method was chosen. `config` must outlive them.
Options declare_toy_options(ToyConfig& config, const ToyExperiment& experiment);

/// After parsing: what hangs on other options, and the folder's name. Throws UsageError where require_full_rank
/// does.
void resolve_toy_defaults(Options& options, ToyConfig& config, const ToyExperiment& experiment);

struct ToyResult {
  RunEnd end;
  ToyPanels panels;  ///< of the last evaluation; empty when a signal came first
};

/// Trains to the end of the schedule, from the newest checkpoint where there is one, and evaluates at the
/// end. `options` must be those of `config`. Says on stdout what it does. Throws Error.
ToyResult run_toy(Kernels& kernels, const ToyConfig& config, const Options& options,
                  const std::vector<NameValue>& environment);

/// The main of an experiment on points of the plane. Returns the program's exit status; errors are one line on
/// stderr.
int run_toy_experiment(const ToyExperiment& experiment, int argc, const char* const* argv);

}  // namespace ebm
