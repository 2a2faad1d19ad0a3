// SPDX-License-Identifier: MIT
// Smooth activations y = f(x), with s = 1 / (1 + exp(-x)):
//   softplus   f = log(1 + exp x),  f' = s,                   f'' = s (1 - s)
//   silu       f = x s,             f' = s (1 + x (1 - s)),   f'' = s (1 - s) (2 + x (1 - 2 s))
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

enum class Curve { softplus, silu };

template <class Value>
[[gnu::always_inline]] EBM_HD inline Value sigmoid_at(const Value& x) {
  return 1 / (1 + exp_of(-x));
}

template <class Value>
EBM_HD Value value_of(Curve curve, const Value& x) {
  if (curve == Curve::silu) return x * sigmoid_at(x);
  const Value above = where(x > 0, x, Value{});
  return above + log1p_of(exp_of(x - 2 * above));  // of exp(-|x|), which never overflows
}

/// f'
template <class Value>
EBM_HD Value slope_of(Curve curve, const Value& x) {
  const Value s = sigmoid_at(x);
  return curve == Curve::silu ? s * (1 + x * (1 - s)) : s;
}

/// f''
template <class Value>
EBM_HD Value curvature_of(Curve curve, const Value& x) {
  const Value s = sigmoid_at(x), hill = s * (1 - s);
  return curve == Curve::silu ? hill * (2 + x * (1 - 2 * s)) : hill;
}

/// y = f(x).
struct Smooth {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  Curve curve;
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
    return value_of(curve, e(x));
  }
};

/// out = f'(x) in: JVP (in = x_dot) and VJP (in = y_bar). Row r of `in` belongs to row r % x_rows of x.
struct SmoothLinearized {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  int64_t x_rows;
  Curve curve;
  ConstArray x;   // x_rows x columns
  ConstArray in;  // rows x columns
  Array out;      // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, (rows < x_rows ? rows : x_rows) * columns);
    uses.reads(in, rows * columns);
    uses.writes(out, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, in, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return slope_of(curve, e.in_row(x, remainder32(e.row, x_rows))) * e(in);
  }
};

/// x_bar (+)= f''(x) times the sum over the k tangents t of x_dot_t y_dot_bar_t: what the tangents add to the
/// values' cotangent. Tangent t of row r is row t * rows + r.
struct SmoothCurvature {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  int64_t tangents;
  Curve curve;
  ConstArray x;          // rows x columns
  ConstArray x_dot;      // tangents * rows x columns
  ConstArray y_dot_bar;  // tangents * rows x columns
  Array x_bar;           // rows x columns
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads({x_dot, y_dot_bar}, tangents * rows * columns);
    uses.writes(x_bar, rows * columns, mode);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, x_dot, y_dot_bar, x_bar); }
  EBM_HD Array output() const { return x_bar; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    typename E::Value sum = 0;
    for (int64_t t = 0; t < tangents; ++t) {
      const int64_t row = t * rows + e.row;
      sum = sum + e.in_row(x_dot, row) * e.in_row(y_dot_bar, row);
    }
    return written(e, x_bar, curvature_of(curve, e(x)) * sum, mode);
  }
};

}  // namespace ebm
