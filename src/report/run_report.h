// SPDX-License-Identifier: MIT
// Runs as one HTML page that opens without a network: configuration, curves, pictures, measures, environment.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "evaluate/evaluation_file.h"
#include "io/run_log.h"
#include "report/table.h"

namespace ebm {

/// The picture of an evaluation: samples/NAME-ITERATION.png or .svg.
struct RunPicture {
  std::string name;
  int64_t iteration = 0;
  std::string type;  ///< "image/png"
  std::vector<uint8_t> bytes;
};

struct RunOfReport {
  std::string name;  ///< any text
  RunLogContent log;
  std::vector<RunPicture> pictures;  ///< of a name by ascending iteration
  std::vector<MeasuredMetric> measured;
};

/// What a run's folder holds: run.h5, evaluation.h5 where it is there, and of the pictures of a name at most
/// `pictures` >= 1, evenly spread, the newest among them. Throws Error.
RunOfReport read_run(const std::filesystem::path& folder, size_t pictures);

/// The runs beside each other, as an HTML page. Where runs differ in configuration or environment the row is marked.
/// Curves have at most 2000 points (report/metric_curves.h: thinned), numbers of JSON's precision.
/// `tables` stand behind what was measured.
std::string run_report(const std::vector<RunOfReport>& runs, const std::vector<Table>& tables = {});

}  // namespace ebm
