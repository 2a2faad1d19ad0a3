// SPDX-License-Identifier: MIT
// Central differences of fourth order, the independent check on the dual numbers:
//   f'(x) ~ (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12 h,  error h^4 f'''''/30 + rounding / h.
#pragma once

#include <vector>

#include "support/tolerance.h"

namespace ebm::reference {

/// df/dx_i for every i of f(std::vector<double>) -> double.
template <class F>
std::vector<double> central_differences(const F& f, std::vector<double> at, double h = 3e-5) {
  std::vector<double> result;
  for (double& element : at) {
    const double old = element;
    const auto value = [&](double offset) {
      element = old + offset;
      return f(at);
    };
    result.push_back((8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h));
    element = old;
  }
  return result;
}

inline test::Tolerance of_differences() {
  return {.factor = 1e6, .reason = "fourth-order central differences in double are good to 1e-9"};
}

}  // namespace ebm::reference
