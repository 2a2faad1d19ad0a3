// SPDX-License-Identifier: MIT
// The metrics of run.h5 as curves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/run_log.h"

namespace ebm {

struct MetricCurve {
  std::string name;
  std::vector<int64_t> iterations;
  std::vector<double> values;  ///< what is not finite is a gap
};

/// Column `name` at the iterations where it was measured. A column that is NaN in more than half of all rows is
/// one of an evaluation, which is made now and then: it is measured in the rows where any such column has a
/// finite value. All others are measured in every row. Throws Error when there is no such column.
MetricCurve metric_curve(const MetricTable& table, std::string_view name);
/// All columns that have a finite value.
std::vector<MetricCurve> metric_curves(const MetricTable& table);

/// The curve in at most `most` >= 8 points: of each stretch of neighbouring points the least, the largest and a gap
/// where there is one, and the ends. All of a curve that has no more.
MetricCurve thinned(const MetricCurve& curve, size_t most);

}  // namespace ebm
