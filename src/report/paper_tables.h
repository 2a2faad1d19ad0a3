// SPDX-License-Identifier: MIT
// The tables of the paper, with our numbers beside the paper's.
#pragma once

#include "evaluate/evaluation_file.h"
#include "report/table.h"

namespace ebm {

/// A run as a table knows it.
struct ReportedRun {
  std::string method;  ///< of --method
  std::string data;    ///< "stacked_mnist", "mnist", "cifar10", "animeface"
  int64_t seed = 0;
  std::vector<MeasuredMetric> metrics;
};

/// Table 1 (modes), 2 (anisotropy) or 4 (out-of-distribution detection). Each cell is the mean of the runs of
/// that method and data, +- their standard deviation (divisor n - 1): over runs where there are several, else
/// over the repeats of one. A method without a run has an empty cell. Footnotes say how many runs of how many
/// iterations, and each protocol. Throws Error for a table that there is none of.
Table paper_table(int64_t number, const std::vector<ReportedRun>& runs);

}  // namespace ebm
