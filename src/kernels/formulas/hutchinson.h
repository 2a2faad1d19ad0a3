// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/formulas/lobpcg.h"

namespace ebm {

/// value = d/2 log(||J v||^2 / d), with the floor under the square; 0 and flagged where J v is not finite.
struct HutchinsonEstimate {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d, range;
  const float* jv;  // B x range
  double *theta, *value;
  int32_t* status;

  EBM_HD int64_t work() const { return range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const double squared = dot(team, range, jv + row * range, jv + row * range);
    const double n = static_cast<double>(d), floor = floor_squared(0);
    team.single([&] {
      const bool good = is_finite(squared);
      theta[row] = good ? squared : 1;
      value[row] = good ? n / 2 * log((squared > floor ? squared : floor) / n) : 0;
      status[row] = !good ? bad_sample : squared > floor ? 0 : floor_hit;
    });
  }
};

}  // namespace ebm
