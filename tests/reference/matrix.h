// SPDX-License-Identifier: MIT
// A dense matrix of any scalar (row-major), and the products everything else here is made of. Naive loops on
// purpose.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <vector>

#include "reference/scalar.h"

namespace ebm::reference {

template <class T>
using Vector = std::vector<T>;

template <class T>
struct Matrix {
  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<T> values;

  Matrix() = default;
  Matrix(int64_t rows_in, int64_t cols_in)
      : rows(rows_in), cols(cols_in), values(static_cast<size_t>(rows_in * cols_in), T(0.0)) {}
  /// From row-major values of any type that T can be made from (float, double, the scalar one level below).
  template <class U>
  Matrix(int64_t rows_in, int64_t cols_in, const std::vector<U>& values_in)
      : rows(rows_in), cols(cols_in), values(values_in.begin(), values_in.end()) {
    if (rows * cols != std::ssize(values))
      throw std::invalid_argument("Matrix: rows * cols is not the number of values");
  }
  Matrix(int64_t rows_in, int64_t cols_in, std::initializer_list<double> values_in)
      : Matrix(rows_in, cols_in, std::vector<double>(values_in)) {}

  T& operator()(int64_t i, int64_t j) { return values[static_cast<size_t>(i * cols + j)]; }
  const T& operator()(int64_t i, int64_t j) const { return values[static_cast<size_t>(i * cols + j)]; }

  Vector<T> row(int64_t i) const {
    return Vector<T>(values.begin() + i * cols, values.begin() + (i + 1) * cols);
  }
  Vector<T> column(int64_t j) const {
    Vector<T> result;
    for (int64_t i = 0; i < rows; ++i) result.push_back((*this)(i, j));
    return result;
  }
  void set_row(int64_t i, const Vector<T>& x) {
    for (int64_t j = 0; j < cols; ++j) (*this)(i, j) = x[static_cast<size_t>(j)];
  }
  void set_column(int64_t j, const Vector<T>& x) {
    for (int64_t i = 0; i < rows; ++i) (*this)(i, j) = x[static_cast<size_t>(i)];
  }
};

template <class T, class U>
Matrix<T> lift(const Matrix<U>& x) {
  return Matrix<T>(x.rows, x.cols, x.values);
}

template <class T>
Matrix<double> values_of(const Matrix<T>& x) {
  return Matrix<double>(x.rows, x.cols, values_of(x.values));
}

/// One row that holds x.
template <class T>
Matrix<T> as_row(const Vector<T>& x) {
  return Matrix<T>(1, std::ssize(x), x);
}

inline Matrix<double> identity(int64_t n) {
  Matrix<double> result(n, n);
  for (int64_t i = 0; i < n; ++i) result(i, i) = 1.0;
  return result;
}

template <class T>
Matrix<T> transpose(const Matrix<T>& a) {
  Matrix<T> result(a.cols, a.rows);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < a.cols; ++j) result(j, i) = a(i, j);
  return result;
}

template <class T>
Matrix<T> multiply(const Matrix<T>& a, const Matrix<T>& b) {
  if (a.cols != b.rows) throw std::invalid_argument("multiply: inner sizes differ");
  Matrix<T> result(a.rows, b.cols);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t k = 0; k < a.cols; ++k)
      for (int64_t j = 0; j < b.cols; ++j) result(i, j) += a(i, k) * b(k, j);
  return result;
}

/// a x
template <class T>
Vector<T> multiply(const Matrix<T>& a, const Vector<T>& x) {
  if (a.cols != std::ssize(x)) throw std::invalid_argument("multiply: sizes differ");
  Vector<T> result(static_cast<size_t>(a.rows), T(0.0));
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < a.cols; ++j)
      result[static_cast<size_t>(i)] += a(i, j) * x[static_cast<size_t>(j)];
  return result;
}

template <class T>
T dot(const Vector<T>& a, const Vector<T>& b) {
  if (a.size() != b.size()) throw std::invalid_argument("dot: sizes differ");
  T sum = T(0.0);
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

template <class T>
T norm(const Vector<T>& a) {
  using std::sqrt;
  return sqrt(dot(a, a));
}

/// a * x + b * y
template <class T>
Vector<T> combine(const T& a, const Vector<T>& x, const T& b, const Vector<T>& y) {
  if (x.size() != y.size()) throw std::invalid_argument("combine: sizes differ");
  Vector<T> result;
  for (size_t i = 0; i < x.size(); ++i) result.push_back(a * x[i] + b * y[i]);
  return result;
}

template <class T>
Vector<T> scale(const T& a, Vector<T> x) {
  for (T& element : x) element = a * element;
  return x;
}

template <class T>
T mean(const Vector<T>& x) {
  T sum = T(0.0);
  for (const T& element : x) sum += element;
  return sum / T(static_cast<double>(x.size()));
}

}  // namespace ebm::reference
