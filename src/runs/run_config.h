// SPDX-License-Identifier: MIT
// What every experiment lets its user choose, and how a run goes on from its newest checkpoint.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/options.h"
#include "methods/registry.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace ebm {

struct RunConfig {
  NetworkKind networks{};  ///< of the experiment: set by choose_method()
  std::string method = "ebm_bb";
  Preset preset = Preset::tuned;
  std::unique_ptr<MethodChoice> choice;  ///< the method's own options: null before choose_method()
  bool deterministic = false;            ///< on a GPU too
  Schedule schedule;
  std::string device = "auto";
  std::string out;
  HostRanks* hosts = nullptr;  ///< null: one process

  /// The ranks that train together, on the host's memory until open_run_device.
  void take(HostRanks* ranks) { training().optimiser.ranks = hosts = ranks; }
  TrainingOptions& training() { return choice->training(); }
  const TrainingOptions& training() const { return choice->training(); }
};

/// The first of two stages: which options there are, and their defaults, hang on the method and its preset.
/// `peek` reads --method and --preset alone, as Options::peek does, into options of its program.
void choose_method(RunConfig& config, NetworkKind networks, const std::string& program,
                   const std::function<void(Options&)>& peek);

/// The second stage: declares the options of RunConfig. `config` must outlive `options`.
void add_run_options(Options& options, RunConfig& config);

/// After parsing, and once config.out is known: what hangs on other options, and on the run that is there.
/// Throws UsageError on options that do not go together, and on one that would change nothing: the method's, and
/// `idle` ones of the experiment.
void resolve_run_defaults(const Options& options, RunConfig& config, std::vector<IdleOption> idle = {});

/// An experiment's networks as the method wants them.
NetworkOptions adapted(NetworkOptions networks, const RunConfig& config);
/// The width of an experiment's networks, its preset's, or that of the method's own where it trains those.
int64_t usual_width(const RunConfig& config, NetworkOptions networks);

/// The options that decide how wide a generator is; without `latent` where d is fixed.
struct WidthOptions {
  std::string latent, width;
};

/// Throws UsageError if a run with this generator would bound the entropy, but the generator's shapes keep
/// its Jacobian from full column rank: then log s_1 is minus infinity at every z.
void require_full_rank(const Layer& generator, const MethodChoice& choice, const WidthOptions& names);

/// Where the run in `folder` left off; nothing in a fresh folder. Throws Error when the folder's run is
/// another one than these options describe, or its newest checkpoint cannot be read.
std::optional<CheckpointInfo> resume_point(const RunFolder& folder, const Options& options);

/// The device of a run, and its ranks on that device's memory, where they are not run.hosts: they go first.
struct RunDevice {
  std::unique_ptr<Kernels> kernels;
  std::unique_ptr<Communicator> ranks = nullptr;
};

/// Opens run.device, and has the ranks that run.training() then names meet there. Of several processes each takes the
/// GPU of its place in its node; `auto` is GPUs where all have one of their own and NCCL, else CPUs, with one line where
/// the first has a GPU. Throws Error, UsageError.
RunDevice open_run_device(RunConfig& run);

/// What a run was made with: environment() (io/environment.h), the device, the files of the GPU's libraries that are
/// open, and how many processes there are, if several.
std::vector<NameValue> run_environment(int argc, const char* const* argv, const Kernels& kernels,
                                       const Communicator* ranks = nullptr);

/// Whether this process is one that only trains along (train/follower.h).
bool follows(const RunConfig& run);
/// What it does (follow()), with convolutions chosen as run_training() does.
RunEnd follow_run(Method& method, const RunConfig& run);

/// Trains `method` to the end of the schedule, from `resumed` where there is one; says on stdout where it goes
/// on. `name` is the run's in progress lines; all but it must outlive the call. Where nothing was left to do,
/// evaluates once more, so that the pictures are there. Throws Error.
RunEnd run_training(Method& method, Evaluation& evaluation, const RunFolder& folder, const std::string& name,
                    const RunConfig& run, const Options& options, const std::vector<NameValue>& environment,
                    const std::optional<CheckpointInfo>& resumed);

/// Says on stdout that a signal ended the program's training and how to go on; returns its exit status.
int report_stop(const StopRequest::Stop& stop, int64_t iteration);

}  // namespace ebm
