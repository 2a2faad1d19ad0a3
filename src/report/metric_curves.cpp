// SPDX-License-Identifier: MIT
#include "report/metric_curves.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"

namespace ebm {

namespace {

using Column = std::vector<double>;

int64_t finite_values(const Column& column) {
  return std::count_if(column.begin(), column.end(), [](double value) { return std::isfinite(value); });
}

bool is_of_evaluation(const Column& column) {
  return 2 * finite_values(column) < std::ssize(column);
}

/// Whether an evaluation was made in each row.
std::vector<bool> evaluated_rows(const MetricTable& table) {
  std::vector<bool> evaluated(table.iterations.size(), false);
  for (const Column& column : table.columns) {
    if (!is_of_evaluation(column)) continue;
    for (size_t row = 0; row < column.size(); ++row)
      evaluated[row] = evaluated[row] || std::isfinite(column[row]);
  }
  return evaluated;
}

MetricCurve curve_of(const MetricTable& table, size_t c, const std::vector<bool>& evaluated) {
  const Column& column = table.columns[c];
  const bool every_row = !is_of_evaluation(column);
  MetricCurve curve{.name = table.names[c], .iterations = {}, .values = {}};
  for (size_t row = 0; row < column.size(); ++row) {
    if (!every_row && !evaluated[row]) continue;
    curve.iterations.push_back(table.iterations[row]);
    curve.values.push_back(column[row]);
  }
  return curve;
}

}  // namespace

MetricCurve metric_curve(const MetricTable& table, std::string_view name) {
  const auto found = std::find(table.names.begin(), table.names.end(), name);
  if (found == table.names.end())
    throw Error("the run has no metric '" + std::string(name) + "'; give a column of its run.h5");
  return curve_of(table, static_cast<size_t>(found - table.names.begin()), evaluated_rows(table));
}

std::vector<MetricCurve> metric_curves(const MetricTable& table) {
  const std::vector<bool> evaluated = evaluated_rows(table);
  std::vector<MetricCurve> curves;
  for (size_t c = 0; c < table.names.size(); ++c) {
    if (finite_values(table.columns[c]) > 0) curves.push_back(curve_of(table, c, evaluated));
  }
  return curves;
}

MetricCurve thinned(const MetricCurve& curve, size_t most) {
  const size_t count = curve.values.size();
  if (count <= most) return curve;
  std::set<size_t> kept{0, count - 1};
  const size_t stretches = (most - 2) / 3;
  for (size_t s = 0; s < stretches; ++s) {
    const size_t first = s * count / stretches, end = (s + 1) * count / stretches;
    size_t least = end, largest = end, gap = end;
    for (size_t i = first; i < end; ++i) {
      const double value = curve.values[i];
      if (!std::isfinite(value)) {
        gap = std::min(gap, i);
        continue;
      }
      if (least == end || value < curve.values[least]) least = i;
      if (largest == end || value > curve.values[largest]) largest = i;
    }
    for (const size_t i : {least, largest, gap}) {
      if (i < end) kept.insert(i);
    }
  }
  MetricCurve result{.name = curve.name, .iterations = {}, .values = {}};
  for (const size_t i : kept) {
    result.iterations.push_back(curve.iterations[i]);
    result.values.push_back(curve.values[i]);
  }
  return result;
}

}  // namespace ebm
