// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <span>

namespace ebm {

/// Of a score over splits or subsets.
struct MeanAndDeviation {
  double mean = 0;
  double deviation = 0;  // sqrt(mean (x - mean)^2): numpy's std
};

/// `x` is not empty.
inline MeanAndDeviation mean_and_deviation(std::span<const double> x) {
  const double n = static_cast<double>(x.size());
  MeanAndDeviation result;
  for (const double value : x) result.mean += value / n;
  double squares = 0;
  for (const double value : x) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / n);
  return result;
}

/// sqrt(sum (x - mean)^2 / (n - 1)), of two numbers or more.
inline double sample_deviation(std::span<const double> x) {
  const double n = static_cast<double>(x.size());
  return mean_and_deviation(x).deviation * std::sqrt(n / (n - 1));
}

}  // namespace ebm
