// SPDX-License-Identifier: MIT
// The tables of the paper, with our numbers beside the paper's.
#pragma once

#include "evaluate/evaluation_file.h"
#include "evaluate/open_image_features.h"
#include "io/run_log.h"
#include "report/table.h"

namespace ebm {

/// A run as a table knows it.
struct ReportedRun {
  std::string method;  ///< of --method
  std::string data;    ///< "stacked_mnist", "mnist", "cifar10", "animeface", "shapes"
  int64_t seed = 0;
  std::vector<MeasuredMetric> metrics = {};
  int64_t iterations = 0;  ///< of the newest checkpoint, in this time, on this device
  TrainingTime time = {};
  std::string device = {};
  std::string folder = {};  ///< for footnotes
};

/// Table 1 (modes), 2 (anisotropy), 3 (inception score, FID, F8, F1/8), 4 (out-of-distribution detection) or 5
/// (training time). Each cell of the first four is the mean of the runs of that method and data, +- their
/// standard deviation (divisor n - 1): over runs where there are several, else over the repeats of one. A
/// method without a run has an empty cell. Footnotes to rows and cells say how many runs of how many iterations, each
/// protocol, and how to evaluate a run that has no number there. By a classifier's features there is a table in
/// Table 3's place which has none of its numbers. Throws Error for a table that there is none of.
Table paper_table(int64_t number, const std::vector<ReportedRun>& runs,
                  FeatureKind features = FeatureKind::inception);

/// Table 1's protocol on shapes (metrics/shape_templates.h), likewise, without the paper's numbers.
Table shapes_table_of(const std::vector<ReportedRun>& runs);

}  // namespace ebm
