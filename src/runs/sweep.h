// SPDX-License-Identifier: MIT
// A table of configurations (io/grid_table.h), each trained with several seeds by a program of this project.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/signals.h"
#include "report/sweep_results.h"

namespace ebm {

struct SweepOptions {
  std::filesystem::path table;
  std::filesystem::path out;  ///< the sweep's file; its runs lie in the folder of this name without ending
  int64_t jobs = 1;           ///< runs at a time
  int64_t threads = 1;        ///< of each: its OMP_NUM_THREADS
};

struct SweepEnd {
  SweepResults results;
  std::optional<StopRequest::Stop> stop;
};

/// Has the program check every run's options, then trains those that are not complete; those that were stopped go on.
/// The sweep's file is written as runs end. Says on stderr how far it is. A run that fails keeps no other from
/// running. At a signal the runs are asked to stop. Throws Error before any training when the table or an option in it
/// is wrong. Waits while another sweep is at work in the folder.
SweepEnd run_sweep(const SweepOptions& options, const std::vector<NameValue>& environment);

}  // namespace ebm
