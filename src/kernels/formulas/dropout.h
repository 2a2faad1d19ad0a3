// SPDX-License-Identifier: MIT
// Dropout (Srivastava et al. 2014): numbers, or whole channels of a sample, are left out with probability p,
// and the others made larger, so that the mean stays.
#pragma once

#include "kernels/formulas/columns.h"

namespace ebm {

/// out = in m, m = 0 where u <= p, else 1 / (1 - p). Values and tangents go through it alike, and cotangents.
/// Row r of `in` belongs to row r % samples of u.
struct Dropout {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;  // samples' rows, features
  int64_t samples;
  int64_t choices;  // numbers of a row of u: the features, or the channels, which are the features' last axis
  float p;
  const float* u;  // samples x choices, U(0, 1]
  ConstArray in;
  Array out;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(u, (rows < samples ? rows : samples) * choices);
    uses.reads(in, rows * columns);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    const float chance = u[remainder32(row, samples) * choices + remainder32(column, choices)];
    set_number(out, i, chance <= p ? 0.0f : number_of(in, i) / (1 - p));
  }
};

}  // namespace ebm
