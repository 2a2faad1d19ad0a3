// SPDX-License-Identifier: MIT
// What the paper's tables say, and which of our measures stands beside each of their columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ebm {

struct PaperColumn {
  const char* title;
  const char* data;                  ///< as ReportedRun names them; null: that of each row
  std::vector<std::string> metrics;  ///< of evaluation.h5; the first that a run has counts
  const char* value;
  int decimals;
};

struct PaperRow {
  const char* method;  ///< null: a heading
  const char* title;
  std::vector<const char*> cells = {};  ///< as printed, one a column; none where the paper has no such table
  const char* data = nullptr;
};

struct PaperTable {
  int64_t number;
  const char* title;
  const char* measured_by;  ///< options of ./experiments/evaluate
  std::vector<PaperColumn> columns;
  std::vector<PaperRow> rows;
};

/// Tables 1 to 4.
const std::vector<PaperTable>& paper_numbers();
/// Table 3's models compared by features of a classifier: numbers that the paper does not have.
const PaperTable& classifier_table();
/// Table 1's measures of runs on shapes, a data set that the paper does not have.
const PaperTable& shapes_table();

/// A row of Table 5; a heading has no method.
struct PaperTime {
  const char* method;
  const char* title;
  const char* data = nullptr;
  int64_t iterations = 0;
  double hours = 0;
};
const std::vector<PaperTime>& paper_times();

}  // namespace ebm
