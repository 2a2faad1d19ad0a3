// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace ebm {

/// The value of what was not measured.
inline constexpr double not_there = std::numeric_limits<double>::quiet_NaN();

/// What an experiment measures of its networks now and then.
class Evaluation {
 public:
  virtual ~Evaluation() = default;
  /// The columns of run.h5 that it fills.
  virtual std::vector<std::string> names() const = 0;
  /// Measures the networks as they are after `iteration` iterations, in the order of names(); NaN where
  /// something does not apply. May wait for the device and leave pictures in the run's folder. Throws Error.
  virtual std::vector<double> evaluate(int64_t iteration) = 0;
};

}  // namespace ebm
