// SPDX-License-Identifier: MIT
// What came out of a sweep: configurations, each with runs of several seeds; its file (docs/formats.md, "Sweep") and
// its table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "io/config_values.h"
#include "report/table.h"

namespace ebm {

enum class RunStatus { waiting, complete, stopped, failed };

struct NamedNumber {
  std::string name;
  double value;
};

struct SweptRun {
  int64_t seed = 0;
  RunStatus status = RunStatus::waiting;
  std::string message;           ///< why it failed, one line
  std::string version, command;  ///< of the program that trained; with all its words
  int64_t iteration = -1;        ///< of the last evaluation; -1: there is none
  double seconds = std::numeric_limits<double>::quiet_NaN();  ///< of training alone
  std::vector<NamedNumber> evaluated, training;               ///< at that iteration
};

struct SweptConfiguration {
  std::string name;
  std::vector<OptionValue> changed, options;  ///< what the table gives; all, without seed and out
  std::vector<SweptRun> runs;
};

struct SweepResults {
  std::string program;
  std::string table;                   ///< its text
  std::vector<NameValue> environment;  ///< of the sweep
  std::vector<SweptConfiguration> configurations;
};

/// Throws Error where a file is there that is no sweep's.
void check_sweep_file(const std::filesystem::path& path);
/// Puts the file in the place of what was there. Throws Error.
void write_sweep(const std::filesystem::path& path, const SweepResults& results);
/// The parts that a table is made of: program, names and runs. Throws Error.
[[nodiscard]] SweepResults read_sweep(const std::filesystem::path& path);

struct SweepColumns {
  std::vector<std::string> names;  ///< empty: what evaluations measured, where some run has a number
  std::string sort;                ///< a column, "seconds" among them, ascending; "": as in the table
};

/// A row for each configuration: how many runs are complete, mean ± standard deviation (divisor n - 1) over these of
/// each column, and the seconds of a run. Throws UsageError when no complete run has such a column.
[[nodiscard]] Table sweep_table(const SweepResults& results, const SweepColumns& columns);

}  // namespace ebm
