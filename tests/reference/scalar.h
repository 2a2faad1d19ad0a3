// SPDX-License-Identifier: MIT
// Dual numbers: value + epsilon * derivative with epsilon^2 = 0, so that f(a + epsilon a') = f(a) + epsilon
// f'(a) a'. Dual<Dual<double>> is a hyper-dual number: f(a + e1 b + e2 c) carries f, f' b, f' c and f'' b c
// (exact, no step size).
#pragma once

#include <cmath>
#include <concepts>
#include <vector>

namespace ebm::reference {

template <class T>
struct Dual {
  T value = T(0.0);
  T derivative = T(0.0);

  Dual() = default;
  Dual(double constant) : value(constant) {}  // implicit on purpose: 2.0 * x
  explicit Dual(const T& constant) requires(!std::same_as<T, double>) : value(constant) {}
  Dual(const T& value_in, const T& derivative_in) : value(value_in), derivative(derivative_in) {}

  friend Dual operator+(const Dual& a, const Dual& b) {
    return {a.value + b.value, a.derivative + b.derivative};
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    return {a.value - b.value, a.derivative - b.derivative};
  }
  friend Dual operator-(const Dual& a) { return {-a.value, -a.derivative}; }
  friend Dual operator*(const Dual& a, const Dual& b) {
    return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    const T quotient = a.value / b.value;
    return {quotient, (a.derivative - quotient * b.derivative) / b.value};
  }
  Dual& operator+=(const Dual& b) { return *this = *this + b; }
  Dual& operator-=(const Dual& b) { return *this = *this - b; }
  Dual& operator*=(const Dual& b) { return *this = *this * b; }
  Dual& operator/=(const Dual& b) { return *this = *this / b; }

  // Branches go by the value alone.
  friend bool operator<(const Dual& a, const Dual& b) { return a.value < b.value; }
  friend bool operator>(const Dual& a, const Dual& b) { return a.value > b.value; }
  friend bool operator<=(const Dual& a, const Dual& b) { return a.value <= b.value; }
  friend bool operator>=(const Dual& a, const Dual& b) { return a.value >= b.value; }
  friend bool operator==(const Dual& a, const Dual& b) { return a.value == b.value; }

  friend Dual sqrt(const Dual& a) {
    using std::sqrt;
    const T root = sqrt(a.value);
    return {root, a.derivative / (root + root)};
  }
  friend Dual log(const Dual& a) {
    using std::log;
    return {log(a.value), a.derivative / a.value};
  }
  friend Dual exp(const Dual& a) {
    using std::exp;
    const T power = exp(a.value);
    return {power, power * a.derivative};
  }
  friend Dual tanh(const Dual& a) {
    using std::tanh;
    const T t = tanh(a.value);
    return {t, (T(1.0) - t * t) * a.derivative};
  }
  friend Dual abs(const Dual& a) { return a.value < T(0.0) ? -a : a; }
};

using HyperDual = Dual<Dual<double>>;

/// The plain number inside, whatever the nesting.
inline double value_of(double x) {
  return x;
}
template <class T>
double value_of(const Dual<T>& x) {
  return value_of(x.value);
}

template <class T>
std::vector<double> values_of(const std::vector<T>& x) {
  std::vector<double> result;
  for (const T& element : x) result.push_back(value_of(element));
  return result;
}

/// Constants of type T made from doubles, or from the scalar one level below.
template <class T, class U>
std::vector<T> lift(const std::vector<U>& x) {
  return std::vector<T>(x.begin(), x.end());
}

}  // namespace ebm::reference
