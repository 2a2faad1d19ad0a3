// SPDX-License-Identifier: MIT
// What the paper's tables want to know of a run in a folder.
#pragma once

#include <string>
#include <vector>

#include "report/paper_tables.h"

namespace ebm {

/// How long its training took. Throws Error when there is no checkpoint, or none of a run on images.
ReportedRun timed_run(const std::string& folder);
/// What evaluate measured; nothing where there is no evaluation.h5. Throws Error when there is no checkpoint either, or
/// none of a run on images.
ReportedRun measured_run(const std::string& folder);

/// The paper's tables in which one of these runs has a cell: 1 to 4 of those that were measured, with notes on
/// the others, 5 of those with a checkpoint; that of runs on shapes. Runs on points have none. Throws Error.
std::vector<Table> tables_of(const std::vector<std::string>& folders);

}  // namespace ebm
