// SPDX-License-Identifier: MIT
// The training loop: iterations on the device, rows of run.h5, evaluations, checkpoints, signals, progress.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/environment.h"
#include "io/progress.h"
#include "io/run_log.h"
#include "io/signals.h"
#include "io/stop_watch.h"
#include "train/averaged_generator.h"
#include "train/dump.h"
#include "train/evaluation.h"
#include "train/method.h"
#include "train/run_folder.h"

namespace ebm {

/// How long a run is and how often something is kept of it, in iterations.
struct Schedule {
  int64_t iterations = 150000;
  int64_t log_every = 100;
  int64_t checkpoint_every = 10000;
  int64_t keep_checkpoints = 2;
  int64_t eval_every = 10000;
  int64_t dump_iteration = 0;  ///< counted from 1; 0: none
};

/// What a run is called and described by.
struct RunDescription {
  std::string name;    ///< in progress lines
  std::string config;  ///< the resolved configuration, TOML
  std::vector<NameValue> environment = {};
  std::vector<OptionValue> options = {};  ///< what the run is, for a dump
};

/// How a run ended: all iterations done, or asked to stop by a signal (with a checkpoint written).
struct RunEnd {
  int64_t iteration = 0;
  std::optional<StopRequest::Stop> stop = {};
};

class Trainer {
 public:
  /// A method at its start, or at `resumed`'s iteration with that checkpoint's state restored. All arguments
  /// but `description` must outlive the trainer. Training is timed by `progress.now`. Throws Error.
  Trainer(Method& method, Evaluation& evaluation, const RunFolder& folder, RunDescription description,
          const Schedule& schedule, const std::optional<CheckpointInfo>& resumed,
          ProgressOptions progress = {});

  /// Trains to the end of the schedule or until a signal asks to stop; either way the last state is in a
  /// checkpoint. An iteration allocates nothing and waits for nothing; rows are read back one row late.
  /// Throws Error (a loss or a number of the state that is NaN or Inf, a full disk ...); what was written
  /// stays, and no checkpoint of such a state is. Of several ranks this is rank 0; the others follow()
  /// (follower.h), and a signal that reaches any of them stops all.
  RunEnd run();

 private:
  void iterate();
  void start_row();
  void finish_row(const std::vector<double>& evaluated);
  void evaluate();
  void save();
  void stop_watch();
  TrainingTime time() const;
  [[noreturn]] void stop_not_finite(int64_t iteration, const std::string& what) const;

  Method& method_;
  AveragedGenerator averaged_;
  Evaluation& evaluation_;
  const RunFolder& folder_;
  RunDescription description_;
  Schedule schedule_;
  int64_t done_;
  int64_t saved_;  // the iteration of the newest checkpoint; -1: none
  int64_t start_;  // the iterations that were done before, in this time
  TrainingTime before_;
  StopWatch watch_;  // runs while nothing but training does
  RunLog log_;
  std::unique_ptr<Graph> iteration_;
  std::unique_ptr<Readback> numbers_;
  std::optional<int64_t> pending_;  // the iteration whose row is on its way from the device
  std::vector<ProgressValue> latest_;
  Progress progress_;
};

}  // namespace ebm
