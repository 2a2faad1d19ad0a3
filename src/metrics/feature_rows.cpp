// SPDX-License-Identifier: MIT
#include "metrics/feature_rows.h"

#include <cmath>

#include "core/error.h"

namespace ebm {

void check_rows(const std::string& name, const FeatureRows& rows, int64_t at_least) {
  const size_t size = rows.values.size();
  if (rows.dim < 1 || size % static_cast<size_t>(rows.dim) != 0)
    throw Error(name + ": " + std::to_string(size) + " numbers are no rows of " + std::to_string(rows.dim));
  if (rows.count() < at_least)
    throw Error(name + ": " + std::to_string(rows.count()) + " rows are too few; give at least " +
                std::to_string(at_least));
  for (size_t i = 0; i < size; ++i) {
    if (!std::isfinite(rows.values[i]))
      throw Error(
          name + ": row " + std::to_string(i / static_cast<size_t>(rows.dim)) +
          " has a number that is not finite; look at the samples and at the network that they went through");
  }
}

void check_same_length(const FeatureRows& a, const FeatureRows& b) {
  if (a.dim != b.dim)
    throw Error("features of " + std::to_string(a.dim) + " and of " + std::to_string(b.dim) +
                " numbers cannot be compared; take both from one network");
}

}  // namespace ebm
