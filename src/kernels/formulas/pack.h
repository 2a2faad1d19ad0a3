// SPDX-License-Identifier: MIT
// Neighbouring elements of a row at once, 16 bytes of them: what a GPU's thread takes, so that it reads and
// writes them in one access. A formula that was written for ElementOf (element.h) computes them all.
#pragma once

#include <type_traits>

#include "kernels/formulas/element.h"

namespace ebm {

/// n numbers (or answers), computed with each on its own.
template <class T, int n>
struct alignas(n * sizeof(T) < 16 ? n * sizeof(T) : 16) Pack {
  T of[n];

  Pack() = default;
  EBM_HD Pack(T each) {
    for (T& x : of) x = each;
  }

  friend EBM_HD Pack operator+(const Pack& a, const Pack& b) {
    return lanes([](T x, T y) { return x + y; }, a, b);
  }
  friend EBM_HD Pack operator-(const Pack& a, const Pack& b) {
    return lanes([](T x, T y) { return x - y; }, a, b);
  }
  friend EBM_HD Pack operator-(const Pack& a) {
    return lanes([](T x) { return -x; }, a);
  }
  friend EBM_HD Pack operator*(const Pack& a, const Pack& b) {
    return lanes([](T x, T y) { return x * y; }, a, b);
  }
  friend EBM_HD Pack operator/(const Pack& a, const Pack& b) {
    return lanes([](T x, T y) { return x / y; }, a, b);
  }
  friend EBM_HD Pack<bool, n> operator>(const Pack& a, const Pack& b) {
    return lanes([](T x, T y) { return x > y; }, a, b);
  }
};

/// f of each lane.
template <int n, class F, class... T>
EBM_HD auto lanes(F f, const Pack<T, n>&... x) {
  Pack<decltype(f(x.of[0]...)), n> result;
  for (int i = 0; i < n; ++i) result.of[i] = f(x.of[i]...);
  return result;
}

/// A pack that may be given as one number for all lanes: it takes no part in finding n.
template <class T, int n>
using AnyPack = std::type_identity_t<Pack<T, n>>;
template <int n>
EBM_HD Pack<float, n> where(const Pack<bool, n>& condition, const AnyPack<float, n>& yes,
                            const AnyPack<float, n>& no) {
  return lanes([](bool c, float y, float z) { return c ? y : z; }, condition, yes, no);
}
template <int n>
EBM_HD Pack<double, n> where(const Pack<bool, n>& condition, const AnyPack<double, n>& yes,
                             const AnyPack<double, n>& no) {
  return lanes([](bool c, double y, double z) { return c ? y : z; }, condition, yes, no);
}
template <int n>
EBM_HD Pack<double, n> as_double(const Pack<float, n>& x) {
  return lanes([](float v) { return static_cast<double>(v); }, x);
}
template <int n>
EBM_HD Pack<float, n> as_float(const Pack<double, n>& x) {
  return lanes([](double v) { return static_cast<float>(v); }, x);
}
template <int n>
EBM_HD Pack<float, n> tanh_of(const Pack<float, n>& x) {
  return lanes([](float v) { return tanh_of(v); }, x);
}
template <int n>
EBM_HD Pack<float, n> exp_of(const Pack<float, n>& x) {
  return lanes([](float v) { return exp_of(v); }, x);
}
template <int n>
EBM_HD Pack<float, n> log1p_of(const Pack<float, n>& x) {
  return lanes([](float v) { return log1pf(v); }, x);
}
template <int n>
EBM_HD Pack<float, n> sqrt_of(const Pack<float, n>& x) {
  return lanes([](float v) { return sqrtf(v); }, x);
}
template <int n>
EBM_HD double count_not_finite(const Pack<float, n>& x) {
  double count = 0;
  for (const float v : x.of) count += count_not_finite(v);
  return count;
}

/// The elements `column` to `column` + count - 1 of a row. `column` and `columns` are multiples of count, and
/// every array starts on 16 bytes.
template <class Stored>
struct Neighbours {
  static constexpr int count = 16 / sizeof(Stored);
  using Value = Pack<float, count>;
  int64_t row, column, columns;

  template <class X>
  EBM_HD Value operator()(X x) const {
    return in_row(x, row);
  }
  EBM_HD Value in_row(const float* x, int64_t r) const { return load(x + r * columns + column); }
  template <class Address>
  EBM_HD Value in_row(BasicArray<Address> x, int64_t r) const {
    return load(static_cast<const Stored*>(x.address) + r * columns + column);
  }
  EBM_HD Value of_column(const float* x) const { return load(x + column); }
  EBM_HD void write(float* x, const Value& value) const { store(x + row * columns + column, value); }
  EBM_HD void write(Array x, const Value& value) const {
    store(static_cast<Stored*>(x.address) + row * columns + column, value);
  }

 private:
  // 16 bytes of T at a time.
  template <class T>
  EBM_HD static Value load(const T* x) {
    constexpr int at_once = 16 / sizeof(T);
    Value value;
    for (int first = 0; first < count; first += at_once) {
      const auto part = *reinterpret_cast<const Pack<T, at_once>*>(x + first);
      for (int i = 0; i < at_once; ++i) value.of[first + i] = expanded(part.of[i]);
    }
    return value;
  }
  template <class T>
  EBM_HD static void store(T* x, const Value& value) {
    constexpr int at_once = 16 / sizeof(T);
    for (int first = 0; first < count; first += at_once) {
      Pack<T, at_once> part;
      for (int i = 0; i < at_once; ++i) part.of[i] = rounded<T>(value.of[first + i]);
      *reinterpret_cast<Pack<T, at_once>*>(x + first) = part;
    }
  }
};

}  // namespace ebm
