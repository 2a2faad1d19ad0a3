// SPDX-License-Identifier: MIT
// compare_runs A/run.h5 B/run.h5 TOLERANCE: do two runs of the same options, on two devices say, log the same
// numbers? The difference of a metric is taken at each row and measured by the metric's root mean square over
// A's rows. Rounding grows along a run, so runs to be compared are short. Status 1 if they differ.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"
#include "io/program.h"
#include "io/run_log.h"

namespace {

/// Largest |a - b| over the root mean square of a. Infinite where only one of the two is a number.
double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double squares = 0, worst = 0;
  int64_t count = 0;
  for (size_t row = 0; row < a.size(); ++row) {
    if (std::isnan(a[row]) && std::isnan(b[row])) continue;  // not evaluated at this row
    const double difference = std::abs(a[row] - b[row]);
    if (!std::isfinite(difference)) return INFINITY;
    worst = std::max(worst, difference);
    squares += a[row] * a[row];
    ++count;
  }
  return worst == 0 ? 0 : worst / std::sqrt(squares / static_cast<double>(count));
}

int compare(const std::string& first, const std::string& second, double tolerance) {
  const ebm::MetricTable a = ebm::read_run_log(first).metrics, b = ebm::read_run_log(second).metrics;
  if (a.names != b.names || a.iterations != b.iterations)
    throw ebm::Error(first + " and " + second +
                     " have different metrics or rows; run both with the same options");
  if (a.iterations.empty()) throw ebm::Error(first + " has no rows; log at least one iteration");
  bool same = true;
  for (size_t metric = 0; metric < a.names.size(); ++metric) {
    const double worst = worst_difference(a.columns[metric], b.columns[metric]);
    const bool close = worst <= tolerance;
    same = same && close;
    std::printf("%-28s %10.2e%s\n", a.names[metric].c_str(), worst, close ? "" : "  DIFFERS");
  }
  std::printf("%zu rows, tolerance %.1e: %s\n", a.iterations.size(), tolerance,
              same ? "the runs agree" : "the runs differ");
  return same ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("compare_runs", [&] {
    char* end = nullptr;
    const double tolerance = argc == 4 ? std::strtod(argv[3], &end) : 0;
    if (argc != 4 || *end != '\0' || !(tolerance >= 0))
      throw ebm::UsageError("usage: compare_runs A/run.h5 B/run.h5 TOLERANCE");
    return compare(argv[1], argv[2], tolerance);
  });
}
