// SPDX-License-Identifier: MIT
// Through what a formula reads the arrays of its element, and the functions of such values that operators do
// not give. A formula is a template of the element's type: ElementOf has plain numbers, Neighbours
// (pack.h) the numbers of several. Both are computed with in float32; an Array's numbers are stored
// as `Stored`, which is f.type() of the formula.
#pragma once

#include "core/view.h"
#include "kernels/formulas/elementary.h"
#include "kernels/formulas/rounding.h"

namespace ebm {

/// One element of a dense array of rows x columns.
template <class Stored>
struct ElementOf {
  using Value = float;
  static constexpr int count = 1;
  int64_t row, column, columns;

  /// Its own value in an array of its shape.
  template <class X>
  EBM_HD float operator()(X x) const {
    return in_row(x, row);
  }
  /// The value of its column in row `r`.
  EBM_HD float in_row(const float* x, int64_t r) const { return x[r * columns + column]; }
  template <class Address>
  EBM_HD float in_row(BasicArray<Address> x, int64_t r) const {
    return expanded(static_cast<const Stored*>(x.address)[r * columns + column]);
  }
  /// The value of its column in an array of `columns` numbers.
  EBM_HD float of_column(const float* x) const { return x[column]; }
  EBM_HD void write(float* x, float value) const { x[row * columns + column] = value; }
  EBM_HD void write(Array x, float value) const {
    static_cast<Stored*>(x.address)[row * columns + column] = rounded<Stored>(value);
  }
};
using Element = ElementOf<float>;

/// Whether there is an array.
EBM_HD inline bool present(const float* x) {
  return x != nullptr;
}
template <class Address>
EBM_HD bool present(BasicArray<Address> x) {
  return x.address != nullptr;
}

/// run(number of the type that f's Arrays hold).
template <class Formula, class Run>
void by_type(const Formula& f, Run run) {
  if constexpr (requires { f.type(); }) {
    if (f.type() == Type::bfloat16) return run(bfloat16{});
  }
  run(float{});
}

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
EBM_HD inline float log1p_of(float x) {
  return log1pf(x);
}
EBM_HD inline float sqrt_of(float x) {
  return sqrtf(x);
}
EBM_HD inline double count_not_finite(float x) {
  return is_finite(x) ? 0 : 1;
}

/// What element e of `out` becomes.
template <class E, class Out>
EBM_HD auto written(const E& e, Out out, typename E::Value value, Write mode) {
  return mode == Write::accumulate ? e(out) + value : value;
}

/// Whether four neighbours of each of these arrays may be read at once, as far as their addresses go.
template <class... X>
bool on_16_bytes(const X&... arrays) {
  return ((reinterpret_cast<uintptr_t>(ConstArray(arrays).address) % 16 == 0) && ...);
}

}  // namespace ebm
