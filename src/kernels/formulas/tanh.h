// SPDX-License-Identifier: MIT
// y = tanh x,   dy/dx = 1 - y^2,   d2y/dx2 = -2 y (1 - y^2).
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// y = tanh x.
struct Tanh {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray x;
  Array y;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.writes(y, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD Array output() const { return y; }
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
  ConstArray y;   // y_rows x columns
  ConstArray in;  // rows x columns
  Array out;      // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(y, (rows < y_rows ? rows : y_rows) * columns);
    uses.reads(in, rows * columns);
    uses.writes(out, rows * columns);
  }

  Type type() const { return y.type; }
  bool aligned() const { return on_16_bytes(y, in, out); }
  EBM_HD Array output() const { return out; }
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
  ConstArray y;          // rows x columns
  ConstArray x_dot;      // tangents * rows x columns
  ConstArray y_dot_bar;  // tangents * rows x columns
  Array x_bar;           // rows x columns
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(y, rows * columns);
    uses.reads({x_dot, y_dot_bar}, tangents * rows * columns);
    uses.writes(x_bar, rows * columns, mode);
  }

  Type type() const { return y.type; }
  bool aligned() const { return on_16_bytes(y, x_dot, y_dot_bar, x_bar); }
  EBM_HD Array output() const { return x_bar; }
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
