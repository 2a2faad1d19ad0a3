// SPDX-License-Identifier: MIT
// y = x if x > 0, else a x.   ReLU: a = 0. LeakyReLU: a constant. PReLU: a is one learned number.
// The derivative at 0 is a, as in PyTorch.
#pragma once

#include "kernels/formulas/element.h"

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
  ConstArray y = nullptr;  // null: no activation, the factor is 1
  int64_t rows = 1;        // row r belongs to row r % rows of y
  float slope = 1;

  /// For the arrays() of a formula over out_rows x columns elements.
  template <class Uses>
  void arrays(Uses& uses, int64_t out_rows, int64_t columns) const {
    uses.reads(y, (out_rows < rows ? out_rows : rows) * columns);
  }

  template <class E>
  EBM_HD typename E::Value at(const E& e) const {
    using Value = typename E::Value;
    // Read and divided where there is no mask too: a loop that does so on a condition is no SIMD.
    const float other = slope;
    const int64_t row = remainder32(e.row, rows);
    if (!present(y)) return Value(1);
    return where(e.in_row(y, row) > 0, Value(1), Value(other));
  }
};

/// y = x > 0 ? x : a x.
struct LeakyRelu {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray x;  // rows x columns
  Slope slope;
  Array y;  // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(slope.learned, 1);
    uses.writes(y, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD Array output() const { return y; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const float a = slope.value();
    return where(e(x) > 0, e(x), a * e(x));
  }
};

/// out = dy/dx in: serves the JVP (in = x_dot) and the VJP (in = y_bar). Row r of `in` belongs to row r %
/// x_rows of x.
struct LeakyReluLinearized {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  int64_t x_rows;
  ConstArray x;   // x_rows x columns
  ConstArray in;  // rows x columns
  Slope slope;
  Array out;  // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, (rows < x_rows ? rows : x_rows) * columns);
    uses.reads(in, rows * columns);
    uses.reads(slope.learned, 1);
    uses.writes(out, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, in, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const float a = slope.value();
    return where(e.in_row(x, remainder32(e.row, x_rows)) > 0, e(in), a * e(in));
  }
};

/// out = dy/dx in, told from y, and a bias's gradient in the same pass: sum[c] (+)= sum over rows of
/// row_weight[r / pixels] out[r, c].
struct MaskedColumnSum {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  int64_t pixels;    // rows that belong to one sample
  ConstArray in, y;  // rows x columns
  float slope;
  const float* row_weight;  // rows / pixels
  Array out;                // rows x columns
  float* sum;               // columns
  Write mode;               // of sum

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({in, y}, rows * columns);
    uses.reads(row_weight, rows / pixels);
    uses.writes(out, rows * columns);
    uses.writes(sum, columns, mode);
  }

  Type type() const { return in.type; }
  bool aligned() const { return on_16_bytes(in, y, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const auto masked = where(e(y) > 0, e(in), slope * e(in));
    return SumsAndElement{
        Sums{static_cast<double>(row_weight[quotient32(e.row, pixels)]) * as_double(masked)}, masked};
  }
  EBM_HD void finish(int64_t column, const Sums<1>& sums) const {
    write(this->sum[column], static_cast<float>(sums.of[0]), mode);
  }
};

/// The VJP of PReLU with the slope's gradient, in one pass over the elements:
///   x_bar = dy/dx y_bar,   partial[c] = sum over rows of (x <= 0) y_bar input,
/// where `input` is x for the values, x_dot for the tangents, a x + c x_dot for the shared backward pass.
struct PreluBackward {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  int64_t x_rows;
  ConstArray x;        // x_rows x columns, decides the side
  ConstArray input;    // rows x columns, what the slope multiplied
  ConstArray y_bar;    // rows x columns
  const float* slope;  // 1
  Array x_bar;         // rows x columns, or null
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

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, input, y_bar, x_bar); }
  EBM_HD Array output() const { return x_bar; }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const auto positive = e.in_row(x, remainder32(e.row, x_rows)) > 0;
    const auto bar = e(y_bar), multiplied = e(input);
    const float a = *slope;
    return SumsAndElement{Sums{as_double(where(positive, 0, bar * multiplied))},
                          where(positive, bar, a * bar)};
  }
  EBM_HD void finish(int64_t column, const Sums<1>& sums) const {
    write(partial[column], static_cast<float>(sums.of[0]), mode);
  }
};

}  // namespace ebm
