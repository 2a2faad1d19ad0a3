// SPDX-License-Identifier: MIT
// A trained run that is measured: its newest checkpoint, what is known of its model, and RUN/evaluation.h5, where
// what was measured is kept after each repeat, so that measuring goes on where it was stopped.
#pragma once

#include "evaluate/evaluation_file.h"
#include "evaluate/told.h"
#include "io/signals.h"
#include "runs/trained_model.h"

namespace ebm {

/// A measure that is repeated with seeds seed, seed + 1, ...
struct RepeatedMeasure {
  std::string name;                 ///< "modes"
  std::string protocol;             ///< how, without the seeds
  std::vector<std::string> values;  ///< the names of its numbers
  int64_t seed, repeats;
};

class MeasuredRun {
 public:
  /// Of a run's folder. `request`, whose signals end a measure, must outlive it. Throws Error.
  MeasuredRun(const std::filesystem::path& folder, const StopRequest& request);

  const std::filesystem::path& folder() const { return folder_; }
  const TrainedModel& model() const { return model_; }
  const Hdf5File& checkpoint() const { return checkpoint_; }

  /// A progress line for `total` rows of something; ends the program when a signal asks.
  Told told(const std::string& what, int64_t total) const;

  /// How many of its repeats were measured of this checkpoint, with this content, in this way, from its seed on.
  int64_t done(const RepeatedMeasure& measure) const;
  /// Keeps the numbers of the next repeat.
  void add(const RepeatedMeasure& measure, const std::vector<double>& numbers);
  /// Measures the repeats that are not there yet, one after the other; says the result.
  void repeat(const RepeatedMeasure& measure, const std::function<std::vector<double>(uint64_t seed)>& once);
  /// Measures what has no repeats, if it is not there yet; says the result.
  void once(const std::string& name, const std::string& protocol,
            const std::function<std::vector<MeasuredValue>()>& measure);
  /// Prints what is kept under a name.
  void say(const std::string& name) const;

 private:
  std::filesystem::path folder_;
  const StopRequest& request_;
  int64_t iteration_ = 0;
  std::string config_, content_;  // of the checkpoint
  TrainedModel model_;
  Hdf5File checkpoint_;
  EvaluationFile file_;
};

}  // namespace ebm
