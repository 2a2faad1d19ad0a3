// SPDX-License-Identifier: MIT
// Through what a formula reads the arrays of its element, and the functions of such values that operators do
// not give. A formula is a template of the element's type: Element has plain numbers, FourElements (four.h)
// the numbers of four neighbours.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

/// One element of a dense array of rows x columns.
struct Element {
  using Value = float;
  static constexpr int count = 1;
  int64_t row, column, columns;

  /// Its own value in an array of its shape.
  EBM_HD float operator()(const float* x) const { return in_row(x, row); }
  /// The value of its column in row `r`.
  EBM_HD float in_row(const float* x, int64_t r) const { return x[r * columns + column]; }
  /// The value of its column in an array of `columns` numbers.
  EBM_HD float of_column(const float* x) const { return x[column]; }
  EBM_HD void write(float* x, float value) const { x[row * columns + column] = value; }
};

EBM_HD inline float where(bool condition, float yes, float no) {
  return condition ? yes : no;
}
EBM_HD inline double where(bool condition, double yes, double no) {
  return condition ? yes : no;
}
EBM_HD inline double as_double(float x) {
  return x;
}
EBM_HD inline float as_float(double x) {
  return static_cast<float>(x);
}
EBM_HD inline float tanh_of(float x) {
  return tanhf(x);
}
EBM_HD inline float sqrt_of(float x) {
  return sqrtf(x);
}
EBM_HD inline double count_not_finite(float x) {
  return is_finite(x) ? 0 : 1;
}

/// What element e of `out` becomes.
template <class E>
EBM_HD auto written(const E& e, const float* out, typename E::Value value, Write mode) {
  return mode == Write::accumulate ? e(out) + value : value;
}

/// Whether four neighbours of each of these arrays may be read at once, as far as their addresses go.
template <class... T>
bool on_16_bytes(const T*... arrays) {
  return ((reinterpret_cast<uintptr_t>(arrays) % 16 == 0) && ...);
}

}  // namespace ebm
