// SPDX-License-Identifier: MIT
// Four neighbouring elements of a row at once: what a GPU's thread takes, so that it reads and writes 16
// bytes in one access. A formula that was written for Element (element.h) computes all four.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// Four numbers (or answers), computed with each on its own.
template <class T>
struct alignas(4 * sizeof(T)) Four {
  T of[4];

  Four() = default;
  EBM_HD Four(T each) : of{each, each, each, each} {}
  EBM_HD Four(T a, T b, T c, T d) : of{a, b, c, d} {}

  friend EBM_HD Four operator+(const Four& a, const Four& b) {
    return lanes([](T x, T y) { return x + y; }, a, b);
  }
  friend EBM_HD Four operator-(const Four& a, const Four& b) {
    return lanes([](T x, T y) { return x - y; }, a, b);
  }
  friend EBM_HD Four operator-(const Four& a) {
    return lanes([](T x) { return -x; }, a);
  }
  friend EBM_HD Four operator*(const Four& a, const Four& b) {
    return lanes([](T x, T y) { return x * y; }, a, b);
  }
  friend EBM_HD Four operator/(const Four& a, const Four& b) {
    return lanes([](T x, T y) { return x / y; }, a, b);
  }
  friend EBM_HD Four<bool> operator>(const Four& a, const Four& b) {
    return lanes([](T x, T y) { return x > y; }, a, b);
  }
};

/// f of each lane.
template <class F, class... T>
EBM_HD auto lanes(F f, const Four<T>&... x) {
  return Four<decltype(f(x.of[0]...))>{f(x.of[0]...), f(x.of[1]...), f(x.of[2]...), f(x.of[3]...)};
}

EBM_HD inline Four<float> where(const Four<bool>& condition, const Four<float>& yes, const Four<float>& no) {
  return lanes([](bool c, float y, float n) { return c ? y : n; }, condition, yes, no);
}
EBM_HD inline Four<double> where(const Four<bool>& condition, const Four<double>& yes,
                                 const Four<double>& no) {
  return lanes([](bool c, double y, double n) { return c ? y : n; }, condition, yes, no);
}
EBM_HD inline Four<double> as_double(const Four<float>& x) {
  return lanes([](float v) { return static_cast<double>(v); }, x);
}
EBM_HD inline Four<float> as_float(const Four<double>& x) {
  return lanes([](double v) { return static_cast<float>(v); }, x);
}
EBM_HD inline Four<float> tanh_of(const Four<float>& x) {
  return lanes([](float v) { return tanhf(v); }, x);
}
EBM_HD inline Four<float> sqrt_of(const Four<float>& x) {
  return lanes([](float v) { return sqrtf(v); }, x);
}
EBM_HD inline double count_not_finite(const Four<float>& x) {
  double count = 0;
  for (const float v : x.of) count += count_not_finite(v);
  return count;
}

/// Elements `column` to `column` + 3 of a row. `column` and `columns` are multiples of 4, and every array
/// starts on 16 bytes.
struct FourElements {
  using Value = Four<float>;
  static constexpr int count = 4;
  int64_t row, column, columns;

  EBM_HD Value operator()(const float* x) const { return in_row(x, row); }
  EBM_HD Value in_row(const float* x, int64_t r) const { return load(x + r * columns + column); }
  EBM_HD Value of_column(const float* x) const { return load(x + column); }
  EBM_HD void write(float* x, const Value& value) const {
    *reinterpret_cast<Value*>(x + row * columns + column) = value;
  }

 private:
  EBM_HD static Value load(const float* x) { return *reinterpret_cast<const Value*>(x); }
};

}  // namespace ebm
