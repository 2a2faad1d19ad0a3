// SPDX-License-Identifier: MIT
// The one tolerance of all tests: how far may computed numbers lie from expected ones?
//
//   error = max_i |actual_i - expected_i| / max(1e-30, max_i |expected_i|)
//        <= 10 * epsilon(type of actual) * factor
//
// The error is relative to the largest expected entry, since an entry near zero made by cancellation carries
// the rounding of its neighbours. Where all entries are differences of larger terms, `terms` is the size of
// those. NaN or infinity on either side fails, so do different sizes and nothing to compare. A factor other
// than 1 needs a reason, and so does `terms`.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iomanip>
#include <limits>
#include <span>
#include <string>

namespace ebm::test {

struct Tolerance {
  double factor = 1.0;
  std::string reason = {};
  double terms = 0.0;
};

template <class Actual, class Expected>
::testing::AssertionResult close_spans(std::span<const Actual> actual, std::span<const Expected> expected,
                                       const Tolerance& tolerance) {
  const auto failure = [] { return ::testing::AssertionFailure() << std::setprecision(17); };
  if (!(tolerance.factor > 0)) return failure() << "the tolerance's factor is " << tolerance.factor;
  if (!(tolerance.terms >= 0 && std::isfinite(tolerance.terms)))
    return failure() << "the tolerance's terms are " << tolerance.terms;
  if ((tolerance.factor != 1.0 || tolerance.terms != 0.0) && tolerance.reason.empty())
    return failure() << "a tolerance with factor " << tolerance.factor << " and terms " << tolerance.terms
                     << " gives no reason";
  if (actual.size() != expected.size())
    return failure() << "sizes differ: actual " << actual.size() << ", expected " << expected.size();
  if (actual.empty()) return failure() << "nothing to compare: both are empty";

  double scale = std::max(1e-30, tolerance.terms);
  double worst = -1.0;
  size_t worst_at = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double a = static_cast<double>(actual[i]);
    const double e = static_cast<double>(expected[i]);
    if (!std::isfinite(a) || !std::isfinite(e))
      return failure() << "not finite at index " << i << ": actual " << a << ", expected " << e;
    scale = std::max(scale, std::abs(e));
    if (std::abs(a - e) > worst) {
      worst = std::abs(a - e);
      worst_at = i;
    }
  }
  const double error = worst / scale;
  const double bound = 10.0 * static_cast<double>(std::numeric_limits<Actual>::epsilon()) * tolerance.factor;
  if (error <= bound) return ::testing::AssertionSuccess() << "error " << error << " within " << bound;
  return failure() << "worst at index " << worst_at << " of " << actual.size() << ": actual "
                   << actual[worst_at] << ", expected " << expected[worst_at]
                   << "; error relative to the size " << scale << " is " << error << ", allowed " << bound
                   << (tolerance.reason.empty() ? "" : " (" + tolerance.reason + ")");
}

// Not templates, so that vectors, arrays and views convert by themselves.
inline ::testing::AssertionResult close(std::span<const float> actual, std::span<const float> expected,
                                        const Tolerance& tolerance = {}) {
  return close_spans(actual, expected, tolerance);
}
inline ::testing::AssertionResult close(std::span<const float> actual, std::span<const double> expected,
                                        const Tolerance& tolerance = {}) {
  return close_spans(actual, expected, tolerance);
}
inline ::testing::AssertionResult close(std::span<const double> actual, std::span<const float> expected,
                                        const Tolerance& tolerance = {}) {
  return close_spans(actual, expected, tolerance);
}
inline ::testing::AssertionResult close(std::span<const double> actual, std::span<const double> expected,
                                        const Tolerance& tolerance = {}) {
  return close_spans(actual, expected, tolerance);
}

inline ::testing::AssertionResult close(float actual, double expected, const Tolerance& tolerance = {}) {
  return close_spans(std::span<const float>(&actual, 1), std::span<const double>(&expected, 1), tolerance);
}
inline ::testing::AssertionResult close(double actual, double expected, const Tolerance& tolerance = {}) {
  return close_spans(std::span<const double>(&actual, 1), std::span<const double>(&expected, 1), tolerance);
}

}  // namespace ebm::test
