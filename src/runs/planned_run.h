// SPDX-License-Identifier: MIT
// A run of a sweep before and after it was trained.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/grid_table.h"
#include "report/sweep_results.h"

namespace ebm {

struct PlannedRun {
  size_t configuration;  ///< of the table's points
  int64_t seed;
  std::filesystem::path folder;
  std::vector<std::string> command;
  std::string config;      ///< that it resolves to
  int64_t iterations = 0;  ///< in all
};

/// The program of that name beside this one; or of a path, where it is one.
[[nodiscard]] std::filesystem::path program_named(const std::string& name);

/// A run of `program` in FOLDER/NAME/seed-S; has the program check its options. Throws Error, with what it said.
[[nodiscard]] PlannedRun plan_run(const std::filesystem::path& program, const std::filesystem::path& folder,
                                  const GridTable& table, size_t point, int64_t seed);

/// Iterations that its newest checkpoint has; 0 without one.
[[nodiscard]] int64_t iterations_done(const PlannedRun& run);
/// The same of a run at work, by the newest row of run.h5.
[[nodiscard]] int64_t iterations_logged(const PlannedRun& run);
/// Whether it is there to its end with just these options.
[[nodiscard]] bool is_complete(const PlannedRun& run);

/// What is known of the run by its folder, complete or not; its status stays `waiting`. Throws Error.
[[nodiscard]] SweptRun read_swept_run(const PlannedRun& run);

}  // namespace ebm
