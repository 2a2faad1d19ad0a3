// SPDX-License-Identifier: MIT
// y = tanh x,   dy/dx = 1 - y^2,   d2y/dx2 = -2 y (1 - y^2).
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

/// y = tanh x.
struct Tanh {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  const float* x;
  float* y;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.writes(y, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    y[i] = tanhf(x[i]);
  }
};

/// out = (1 - y^2) in: JVP (in = x_dot) and VJP (in = y_bar). Row r of `in` belongs to row r % y_rows of y.
struct TanhLinearized {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t y_rows;
  const float* y;   // y_rows x columns
  const float* in;  // rows x columns
  float* out;       // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(y, (rows < y_rows ? rows : y_rows) * columns);
    uses.reads(in, rows * columns);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    const float v = y[remainder32(row, y_rows) * columns + column];
    out[i] = (1 - v * v) * in[i];
  }
};

/// x_bar (+)= sum over the k tangents t of -2 y (1 - y^2) x_dot_t y_dot_bar_t: what the tangents add to the
/// values' cotangent. Tangent t of row r is row t * rows + r.
struct TanhCurvature {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t tangents;
  const float* y;          // rows x columns
  const float* x_dot;      // tangents * rows x columns
  const float* y_dot_bar;  // tangents * rows x columns
  float* x_bar;            // rows x columns
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(y, rows * columns);
    uses.reads({x_dot, y_dot_bar}, tangents * rows * columns);
    uses.writes(x_bar, rows * columns, mode);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    float sum = 0;
    for (int64_t t = 0; t < tangents; ++t) {
      const int64_t j = t * rows * columns + i;
      sum += x_dot[j] * y_dot_bar[j];
    }
    write(x_bar[i], -2 * y[i] * (1 - y[i] * y[i]) * sum, mode);
  }
};

}  // namespace ebm
