// SPDX-License-Identifier: MIT
// y = tanh x,   dy/dx = 1 - y^2,   d2y/dx2 = -2 y (1 - y^2).
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// y = tanh x.
struct Tanh {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  const float* x;
  float* y;

  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD float* output() const { return y; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return tanh_of(e(x));
  }
};

/// out = (1 - y^2) in: JVP (in = x_dot) and VJP (in = y_bar). Row r of `in` belongs to row r % y_rows of y.
struct TanhLinearized {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  int64_t y_rows;
  const float* y;   // y_rows x columns
  const float* in;  // rows x columns
  float* out;       // rows x columns

  bool aligned() const { return on_16_bytes(y, in, out); }
  EBM_HD float* output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const auto v = e.in_row(y, remainder32(e.row, y_rows));
    return (1 - v * v) * e(in);
  }
};

/// x_bar (+)= sum over the k tangents t of -2 y (1 - y^2) x_dot_t y_dot_bar_t: what the tangents add to the
/// values' cotangent. Tangent t of row r is row t * rows + r.
struct TanhCurvature {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  int64_t tangents;
  const float* y;          // rows x columns
  const float* x_dot;      // tangents * rows x columns
  const float* y_dot_bar;  // tangents * rows x columns
  float* x_bar;            // rows x columns
  Write mode;

  bool aligned() const { return on_16_bytes(y, x_dot, y_dot_bar, x_bar); }
  EBM_HD float* output() const { return x_bar; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    typename E::Value sum = 0;
    for (int64_t t = 0; t < tangents; ++t) {
      const int64_t row = t * rows + e.row;
      sum = sum + e.in_row(x_dot, row) * e.in_row(y_dot_bar, row);
    }
    return written(e, x_bar, -2 * e(y) * (1 - e(y) * e(y)) * sum, mode);
  }
};

}  // namespace ebm
