// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/formulas/sample_status.h"
#include "kernels/formulas/vectors.h"

namespace ebm {

/// value = d/2 log(||J v||^2 / d), with the floor under the square. A bad sample has value 0, theta 1, J v 0.
struct HutchinsonEstimate {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d, range;
  float* jv;  // B x range
  double *theta, *value;
  int32_t* status;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(jv, rows * range);
    uses.touches(jv, rows * range);
    uses.writes({theta, value}, rows);
    uses.writes(status, rows);
  }

  EBM_HD int64_t work() const { return range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float* x = jv + row * range;
    const double squared = dot(team, range, x, x);
    const double n = static_cast<double>(d), floor = floor_squared(0);
    const bool good = is_finite(squared);
    team.each(range, [=](int64_t i) {
      if (!good) x[i] = 0;
    });
    team.single([&] {
      theta[row] = good ? squared : 1;
      value[row] = good ? n / 2 * log((squared > floor ? squared : floor) / n) : 0;
      status[row] = !good ? bad_sample : squared > floor ? 0 : floor_hit;
    });
  }
};

}  // namespace ebm
