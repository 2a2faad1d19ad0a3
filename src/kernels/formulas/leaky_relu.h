// SPDX-License-Identifier: MIT
// y = x if x > 0, else a x.   ReLU: a = 0. LeakyReLU: a constant. PReLU: a is one learned number.
// The derivative at 0 is a, as in PyTorch.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

/// The slope for x <= 0: a number, or one that lives on the device (PReLU).
struct Slope {
  float constant = 0;
  const float* learned = nullptr;

  EBM_HD float value() const { return learned != nullptr ? *learned : constant; }
};

/// dy/dx of a leaky ReLU that ends another formula, told from its output: y > 0 just where x > 0, since
/// slopes are not negative.
struct Mask {
  const float* y = nullptr;  // null: no activation, the factor is 1
  int64_t rows = 1;          // row r belongs to row r % rows of y
  float slope = 1;

  /// For the arrays() of a formula over out_rows x columns elements.
  template <class Uses>
  void arrays(Uses& uses, int64_t out_rows, int64_t columns) const {
    uses.reads(y, (out_rows < rows ? out_rows : rows) * columns);
  }
  EBM_HD float at(int64_t row, int64_t column, int64_t columns) const {
    if (y == nullptr) return 1;
    return y[remainder32(row, rows) * columns + column] > 0 ? 1 : slope;
  }
};

/// y = x > 0 ? x : a x.
struct LeakyRelu {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  const float* x;  // rows x columns
  Slope slope;
  float* y;  // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(slope.learned, 1);
    uses.writes(y, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    const float a = slope.value();
    y[i] = x[i] > 0 ? x[i] : a * x[i];
  }
};

/// out = dy/dx in: serves the JVP (in = x_dot) and the VJP (in = y_bar). Row r of `in` belongs to row r %
/// x_rows of x.
struct LeakyReluLinearized {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t x_rows;
  const float* x;   // x_rows x columns
  const float* in;  // rows x columns
  Slope slope;
  float* out;  // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, (rows < x_rows ? rows : x_rows) * columns);
    uses.reads(in, rows * columns);
    uses.reads(slope.learned, 1);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    const float a = slope.value();
    out[i] = x[remainder32(row, x_rows) * columns + column] > 0 ? in[i] : a * in[i];
  }
};

/// The VJP of PReLU with the slope's gradient, in one pass over the elements:
///   x_bar = dy/dx y_bar,   partial[c] = sum over rows of (x <= 0) y_bar input,
/// where `input` is x for the values, x_dot for the tangents, a x + c x_dot for the shared backward pass.
struct PreluBackward {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  int64_t x_rows;
  const float* x;      // x_rows x columns, decides the side
  const float* input;  // rows x columns, what the slope multiplied
  const float* y_bar;  // rows x columns
  const float* slope;  // 1
  float* x_bar;        // rows x columns, or null
  float* partial;      // columns
  Write mode;          // of partial

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, (rows < x_rows ? rows : x_rows) * columns);
    uses.reads({input, y_bar}, rows * columns);
    uses.reads(slope, 1);
    uses.writes(x_bar, rows * columns);
    uses.writes(partial, columns, mode);
  }

  EBM_HD Sums<1> term(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    const bool positive = x[remainder32(row, x_rows) * columns + column] > 0;
    const float bar = y_bar[i], multiplied = input[i], a = *slope;
    if (x_bar != nullptr) x_bar[i] = positive ? bar : a * bar;
    return {{positive ? 0.0 : static_cast<double>(bar) * multiplied}};
  }
  EBM_HD void finish(int64_t column, const Sums<1>& sums) const {
    write(partial[column], static_cast<float>(sums.of[0]), mode);
  }
};

}  // namespace ebm
