// SPDX-License-Identifier: MIT
// First and second derivatives of any y = f(x, w) that is callable with every scalar, one direction at a time
// by dual numbers. f takes (Matrix<T> x, std::vector<T> w) and returns Matrix<T>; a Network is one.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "reference/matrix.h"

namespace ebm::reference {

/// df/dx_i for every i of a scalar function f(std::vector<Dual<T>>) -> Dual<T>. T may itself be dual, so
/// calls nest.
template <class T, class F>
std::vector<T> gradient(const F& f, const std::vector<T>& x) {
  std::vector<Dual<T>> seeded = lift<Dual<T>>(x);
  std::vector<T> result;
  for (Dual<T>& element : seeded) {
    element.derivative = T(1.0);
    result.push_back(f(seeded).derivative);
    element.derivative = T(0.0);
  }
  return result;
}

/// x + epsilon x_dot
template <class T>
Matrix<Dual<T>> with_tangent(const Matrix<T>& x, const Matrix<T>& x_dot) {
  if (x.rows != x_dot.rows || x.cols != x_dot.cols)
    throw std::invalid_argument("with_tangent: shapes differ");
  Matrix<Dual<T>> result(x.rows, x.cols);
  for (size_t i = 0; i < x.values.size(); ++i) result.values[i] = Dual<T>(x.values[i], x_dot.values[i]);
  return result;
}

template <class T>
Matrix<T> derivative_part(const Matrix<Dual<T>>& y) {
  Matrix<T> result(y.rows, y.cols);
  for (size_t i = 0; i < y.values.size(); ++i) result.values[i] = y.values[i].derivative;
  return result;
}

/// y_dot = (df/dx) x_dot
template <class T, class F>
Matrix<T> jvp(const F& f, const Matrix<T>& x, const std::vector<T>& w, const Matrix<T>& x_dot) {
  return derivative_part(f(with_tangent(x, x_dot), lift<Dual<T>>(w)));
}

/// Where the k tangents of B samples lie among B * k rows.
enum class TangentOrder {
  by_sample,  ///< row b * k + t
  by_tangent  ///< row t * B + b
};

/// jvp with k tangents a sample: x has B rows, x_dot B * k, and so has the result. Tangent t of all samples
/// together is one direction of the whole batch (with batch statistics the samples are coupled).
template <class F>
Matrix<double> jvp_many(const F& f, const Matrix<double>& x, const std::vector<double>& w,
                        const Matrix<double>& x_dot, TangentOrder order) {
  if (x.rows == 0 || x_dot.rows % x.rows != 0)
    throw std::invalid_argument("jvp_many: rows are not a multiple of B");
  const int64_t k = x_dot.rows / x.rows;
  const auto row = [&](int64_t b, int64_t t) {
    return order == TangentOrder::by_sample ? b * k + t : t * x.rows + b;
  };
  Matrix<double> result;
  for (int64_t t = 0; t < k; ++t) {
    Matrix<double> direction(x.rows, x.cols);
    for (int64_t b = 0; b < x.rows; ++b) direction.set_row(b, x_dot.row(row(b, t)));
    const Matrix<double> y_dot = jvp(f, x, w, direction);
    if (t == 0) result = Matrix<double>(x_dot.rows, y_dot.cols);
    for (int64_t b = 0; b < x.rows; ++b) result.set_row(row(b, t), y_dot.row(b));
  }
  return result;
}

template <class T>
T inner(const Matrix<T>& a, const Matrix<T>& b) {
  return dot(a.values, b.values);
}

struct Vjp {
  Matrix<double> x_bar;
  std::vector<double> w_bar;
};

/// The gradient of <y_bar, f(x, w)> with respect to x and w.
template <class F>
Vjp vjp(const F& f, const Matrix<double>& x, const std::vector<double>& w, const Matrix<double>& y_bar) {
  Vjp result;
  const auto of_x = [&](const auto& values) {
    using S = typename std::decay_t<decltype(values)>::value_type;
    return inner(lift<S>(y_bar), f(Matrix<S>(x.rows, x.cols, values), lift<S>(w)));
  };
  const auto of_w = [&](const auto& values) {
    using S = typename std::decay_t<decltype(values)>::value_type;
    return inner(lift<S>(y_bar), f(lift<S>(x), values));
  };
  result.x_bar = Matrix<double>(x.rows, x.cols, gradient(of_x, x.values));
  result.w_bar = gradient(of_w, w);
  return result;
}

struct VjpOfJvp {
  Matrix<double> x_bar;
  Matrix<double> x_dot_bar;
  std::vector<double> w_bar;
};

/// The gradient of <y_bar, y> + <y_dot_bar, y_dot>, with y = f(x, w) and y_dot = jvp(x_dot), with respect to
/// x, x_dot, w.
template <class F>
VjpOfJvp vjp_of_jvp(const F& f, const Matrix<double>& x, const std::vector<double>& w,
                    const Matrix<double>& x_dot, const Matrix<double>& y_bar,
                    const Matrix<double>& y_dot_bar) {
  const auto paired = [&](const auto& x_any, const auto& x_dot_any, const auto& w_any) {
    using S = typename std::decay_t<decltype(w_any)>::value_type;
    const auto y = f(with_tangent(x_any, x_dot_any), lift<Dual<S>>(w_any));
    S sum = S(0.0);
    for (size_t i = 0; i < y.values.size(); ++i)
      sum += S(y_bar.values[i]) * y.values[i].value + S(y_dot_bar.values[i]) * y.values[i].derivative;
    return sum;
  };
  using D = Dual<double>;
  VjpOfJvp result;
  result.x_bar = Matrix<double>(
      x.rows, x.cols,
      gradient(
          [&](const auto& v) { return paired(Matrix<D>(x.rows, x.cols, v), lift<D>(x_dot), lift<D>(w)); },
          x.values));
  result.x_dot_bar = Matrix<double>(
      x.rows, x.cols,
      gradient([&](const auto& v) { return paired(lift<D>(x), Matrix<D>(x.rows, x.cols, v), lift<D>(w)); },
               x_dot.values));
  result.w_bar = gradient([&](const auto& v) { return paired(lift<D>(x), lift<D>(x_dot), v); }, w);
  return result;
}

/// vjp_of_jvp with k tangents a sample, tangent-major (x_dot, y_dot_bar, x_dot_bar: row t * B + b): the
/// gradient of <y_bar, y> + sum_t <y_dot_bar_t, y_dot_t>.
template <class F>
VjpOfJvp vjp_of_jvp_many(const F& f, const Matrix<double>& x, const std::vector<double>& w,
                         const Matrix<double>& x_dot, const Matrix<double>& y_bar,
                         const Matrix<double>& y_dot_bar) {
  const auto block = [&](const Matrix<double>& rows, int64_t t) {
    Matrix<double> result(x.rows, rows.cols);
    for (int64_t b = 0; b < x.rows; ++b) result.set_row(b, rows.row(t * x.rows + b));
    return result;
  };
  VjpOfJvp sum;
  for (int64_t t = 0; t < x_dot.rows / x.rows; ++t) {
    const Matrix<double> once = t == 0 ? y_bar : Matrix<double>(y_bar.rows, y_bar.cols);
    const VjpOfJvp one = vjp_of_jvp(f, x, w, block(x_dot, t), once, block(y_dot_bar, t));
    if (t == 0)
      sum = {.x_bar = Matrix<double>(x.rows, x.cols),
             .x_dot_bar = Matrix<double>(x_dot.rows, x.cols),
             .w_bar = std::vector<double>(w.size(), 0.0)};
    for (size_t i = 0; i < sum.x_bar.values.size(); ++i) sum.x_bar.values[i] += one.x_bar.values[i];
    for (size_t i = 0; i < w.size(); ++i) sum.w_bar[i] += one.w_bar[i];
    for (int64_t b = 0; b < x.rows; ++b) sum.x_dot_bar.set_row(t * x.rows + b, one.x_dot_bar.row(b));
  }
  return sum;
}

/// The Jacobian of one sample, D x d: column j is the jvp along axis j. Meaningful where rows do not interact
/// (batch norm on running statistics).
template <class T, class F>
Matrix<T> jacobian(const F& f, const std::vector<T>& z, const std::vector<T>& w) {
  Matrix<T> result;
  for (int64_t j = 0; j < std::ssize(z); ++j) {
    Matrix<T> axis(1, std::ssize(z));
    axis(0, j) = T(1.0);
    const Matrix<T> column = jvp(f, as_row(z), w, axis);
    if (j == 0) result = Matrix<T>(column.cols, std::ssize(z));
    result.set_column(j, column.values);
  }
  return result;
}

}  // namespace ebm::reference
