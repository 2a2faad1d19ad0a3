// SPDX-License-Identifier: MIT
// What every experiment lets its user choose, and how a run goes on from its newest checkpoint.
#pragma once

#include <optional>
#include <string>

#include "io/options.h"
#include "train/method.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace ebm {

struct RunConfig {
  Method method = Method::ebm_bb;
  Preset preset = Preset::paper;
  GameOptions game;
  std::optional<LowerBoundKind> lower_bound = LowerBoundKind::lobpcg;  ///< none: no entropy term
  LowerBoundOptions lower;                                             ///< its kind is lower_bound
  int64_t seed = 1;
  bool deterministic = false;  ///< on a GPU too
  Schedule schedule;
  std::string device = "auto";
  std::string out;

  /// `game` with the lower bound and the seed put in.
  GameOptions game_options() const;
};

/// The options that decide how wide a generator is; without `latent` where d is fixed.
struct WidthOptions {
  std::string latent, width;
};

/// Throws UsageError if a run with this generator would bound the entropy, but the generator's shapes keep
/// its Jacobian from full column rank: then log s_1 is minus infinity at every z.
void require_full_rank(const Layer& generator, const GameOptions& options, const WidthOptions& names);

/// Declares the options of RunConfig. `config` must outlive `options`.
void add_run_options(Options& options, RunConfig& config);

/// Gives what was not set on the command line or in a file the values of `defaults` (a preset's).
void set_game_defaults(Options& options, const GameOptions& defaults);

/// Where the run in `folder` left off; nothing in a fresh folder. Throws Error when the folder's run is
/// another one than these options describe, or its newest checkpoint cannot be read.
std::optional<CheckpointInfo> resume_point(const RunFolder& folder, const Options& options);

/// What a run was made with: environment() (io/environment.h), the device, and the files of the GPU's
/// libraries that are open.
std::vector<NameValue> run_environment(int argc, const char* const* argv, const Kernels& kernels);

/// Trains `game` to the end of the schedule, from `resumed` where there is one; says on stdout where it goes
/// on. `name` is the run's in progress lines; all but it must outlive the call. Where nothing was left to do,
/// evaluates once more, so that the pictures are there. Throws Error.
RunEnd run_training(Game& game, Evaluation& evaluation, const RunFolder& folder, const std::string& name,
                    const RunConfig& run, const Options& options, const std::vector<NameValue>& environment,
                    const std::optional<CheckpointInfo>& resumed);

/// Says on stdout that a signal ended the program's training and how to go on; returns its exit status.
int report_stop(const StopRequest::Stop& stop, int64_t iteration);

}  // namespace ebm
