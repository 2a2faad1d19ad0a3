// SPDX-License-Identifier: MIT
#pragma once
// run.h5: what a run was, and its metrics, readable while the run goes on.
//
//   /                      attributes: config (the resolved configuration, TOML text) and one per environment
//                          entry, all strings of fixed length in UTF-8
//   /metrics/iteration     int64, one per row; -1 at the end: rows that a full disk kept from being written
//   /metrics/NAME          float64, one per row; NaN where the metric was not evaluated at that row
//   /metrics               attribute: evaluated (the names of those that evaluations measure, with commas)
//   /training/seconds, /training/images_per_second    float64: TrainingTime
//
// While the run goes on the file is in HDF5's single-writer-multiple-readers mode: every append is flushed,
// and it stays readable when the writer is killed at any moment.
//   Python:  file = h5py.File("run.h5", "r", libver="latest", swmr=True)   (plain "r" once the run has ended)
//            file["metrics/energy_loss"][:], file.attrs["config"].decode()
// A metric's rows carry no checksum (a reader could see one half written); the checkpoint's copy does.
// `iteration` is written last, so every metric has at least as many rows as it; cut to its length.
//
// A resumed run makes the file anew from the history that its checkpoint carries, and renames it over the old
// one: rows after the checkpoint vanish, and a reader of the old file keeps what it had open.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/environment.h"
#include "io/hdf5_file.h"

namespace ebm {

/// Rows of metrics: columns[c][r] belongs to names[c] and iterations[r]. Iterations ascend strictly from 0 or
/// more.
struct MetricTable {
  std::vector<std::string> names = {};
  std::vector<int64_t> iterations = {};
  std::vector<std::vector<double>> columns = {};

  /// Appends a row; `values` in the order of `names`. Throws Error on a wrong count or an iteration not after
  /// the last.
  void append(int64_t iteration, std::span<const double> values);

  /// To and from the datasets of a group of a file (a checkpoint). Throw Error.
  void save(Hdf5File& file, std::string_view group) const;
  static MetricTable load(const Hdf5File& file, std::string_view group);
};

/// What training alone has taken: without evaluations, checkpoints and pictures.
struct TrainingTime {
  double seconds = 0;  ///< of all starts of the run
  /// Images (or points) of the data that went through, of the last start; NaN where it has trained nothing.
  double images_per_second = std::numeric_limits<double>::quiet_NaN();
};

class RunLog {
 public:
  /// A new run.h5 with the rows of `history`, renamed over one that is there. The columns are `metrics`, then
  /// those of `history` that are not among them; what one of the two lacks is NaN. Names hold no '/' and no
  /// ','. `evaluated` are those of `metrics` that evaluations measure. Throws Error.
  static RunLog create(const std::filesystem::path& path, std::string_view config,
                       const std::vector<NameValue>& environment, const std::vector<std::string>& metrics,
                       const MetricTable& history = {}, const TrainingTime& time = {},
                       const std::vector<std::string>& evaluated = {});

  RunLog(RunLog&&) noexcept;
  RunLog& operator=(RunLog&&) noexcept;
  ~RunLog();

  /// Appends a row, `values` in the order of the `metrics` given to create, and hands it to the operating
  /// system. Throws Error (full disk; wrong count; iteration not after the last); rows already written stay
  /// readable.
  void append(int64_t iteration, std::span<const double> values);

  /// Puts the time in place of the one that is there. Throws Error.
  void set_time(const TrainingTime& time);

  /// All rows so far.
  [[nodiscard]] const MetricTable& history() const;

  /// Ends the writing; the file is then an ordinary HDF5 file. Throws Error when that fails.
  void close();

 private:
  struct Impl;
  explicit RunLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What a run.h5 holds, also of a run that is at work or was killed. Throws Error.
struct RunLogContent {
  std::string config;
  std::vector<NameValue> environment;  // sorted by name
  MetricTable metrics;
  TrainingTime time;                        // of an older file that has none: 0 seconds
  std::vector<std::string> evaluated = {};  // the metrics that evaluations measure; of an older file none
};
[[nodiscard]] RunLogContent read_run_log(const std::filesystem::path& path);

}  // namespace ebm
