// SPDX-License-Identifier: MIT
// Values and gradients of the bounds, per sample, for any scalar. g(z, w) is a generator whose rows do not
// interact (batch norm on running statistics), J = dg/dz (D x d); e(x, w) an energy with one output.
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "reference/derivatives.h"
#include "reference/linalg.h"
#include "reference/network.h"

namespace ebm::reference {

/// J(z; w) v
template <class T>
Vector<T> jacobian_times(const Network& g, const Vector<T>& z, const Vector<T>& w, const Vector<double>& v) {
  return jvp(g, as_row(z), w, as_row(lift<T>(v))).values;
}

/// log s1 estimate at a fixed v: log(||J v|| / ||v||)
template <class T>
T log_s1(const Network& g, const Vector<T>& z, const Vector<T>& w, const Vector<double>& v) {
  using std::log;
  const Vector<T> jv = jacobian_times(g, z, w, v);
  return T(0.5) * (log(dot(jv, jv)) - T(std::log(dot(v, v))));
}

/// 1/2 log det(J^T J) = log volume of J's columns: the sum of the logarithms of what Gram-Schmidt leaves of
/// each column. (Its rounding error grows with cond(J); that of a Cholesky factor of J^T J with the square.)
template <class T>
T half_log_det(const Network& g, const Vector<T>& z, const Vector<T>& w) {
  using std::log;
  const Matrix<T> j = jacobian(g, z, w);
  std::vector<Vector<T>> basis;
  T sum = T(0.0);
  for (int64_t k = 0; k < j.cols; ++k) {
    Vector<T> column = j.column(k);
    for (const Vector<T>& b : basis) column = combine(T(1.0), column, -dot(b, column), b);
    sum += log(norm(column));
    basis.push_back(scale(T(1.0) / norm(column), column));
  }
  return sum;
}

/// u^T J v: with the (u, v) of quadrature.h its gradient estimates that of 1/2 log det(J^T J).
template <class T>
T bilinear(const Network& g, const Vector<T>& z, const Vector<T>& w, const Vector<double>& u,
           const Vector<double>& v) {
  return dot(lift<T>(u), jacobian_times(g, z, w, v));
}

/// A function of one sample's z and of w, with both gradients.
struct SampleGradient {
  double value = 0.0;
  Vector<double> z_bar;
  Vector<double> w_bar;
};
template <class F>
SampleGradient sample_gradient(const F& f, const Vector<double>& z, const Vector<double>& w) {
  using D = Dual<double>;
  return {.value = f(z, w),
          .z_bar = gradient([&](const Vector<D>& x) { return f(x, lift<D>(w)); }, z),
          .w_bar = gradient([&](const Vector<D>& x) { return f(lift<D>(z), x); }, w)};
}
inline SampleGradient log_s1_gradient(const Network& g, const Vector<double>& z, const Vector<double>& v) {
  return sample_gradient([&](const auto& x, const auto& w) { return log_s1(g, x, w, v); }, z, g.parameters);
}
inline SampleGradient half_log_det_gradient(const Network& g, const Vector<double>& z) {
  return sample_gradient([&](const auto& x, const auto& w) { return half_log_det(g, x, w); }, z,
                         g.parameters);
}
inline SampleGradient bilinear_gradient(const Network& g, const Vector<double>& z, const Vector<double>& u,
                                        const Vector<double>& v) {
  return sample_gradient([&](const auto& x, const auto& w) { return bilinear(g, x, w, u, v); }, z,
                         g.parameters);
}

/// a = -grad_z log p_g(G(z)) = z + grad_z(entropy), entropy = d log s1 at a fixed v.
inline Vector<double> score_target(const Network& g, const Vector<double>& z, const Vector<double>& v) {
  return combine(1.0, z, static_cast<double>(z.size()), log_s1_gradient(g, z, v).z_bar);
}

/// E'(x_i; direction_i) for each sample of a batch. Where E couples the samples (batch statistics): the
/// derivative of E(x_i) as all samples move along their directions.
template <class T>
Vector<T> directional(const Network& e, const Matrix<double>& x, const Vector<T>& w,
                      const Matrix<double>& directions) {
  return jvp(e, lift<T>(x), w, lift<T>(directions)).values;
}

enum class Normaliser { none, d, v, v2 };

/// n = 1, d, ||v0||, ||v0||^2
inline double normaliser_value(Normaliser normaliser, const Vector<double>& v0) {
  switch (normaliser) {
    case Normaliser::none:
      return 1.0;
    case Normaliser::d:
      return static_cast<double>(v0.size());
    case Normaliser::v:
      return norm(v0);
    case Normaliser::v2:
      return dot(v0, v0);
  }
  throw std::invalid_argument("normaliser_value: unknown");
}

/// mean_i (E'(x_i; J v0_i) - a_i . v0_i)^2 / n_i, as a function of the energy's parameters; jv0, a, v0: one
/// row a sample.
template <class T>
T bidirectional_penalty(const Network& e, const Vector<T>& w, const Matrix<double>& x,
                        const Matrix<double>& jv0, const Matrix<double>& a, const Matrix<double>& v0,
                        Normaliser normaliser) {
  const Vector<T> along = directional(e, x, w, jv0);
  T sum = T(0.0);
  for (int64_t i = 0; i < x.rows; ++i) {
    const T gap = along[static_cast<size_t>(i)] - T(dot(a.row(i), v0.row(i)));
    sum += gap * gap / T(normaliser_value(normaliser, v0.row(i)));
  }
  return sum / T(static_cast<double>(x.rows));
}

/// grad_x of sum_i E(x_i), one row a sample: grad_x E(x_i) where samples are not coupled
template <class T>
Matrix<T> energy_gradients(const Network& e, const Matrix<double>& x, const Vector<T>& w) {
  using D = Dual<T>;
  const auto sum = [&](const Vector<D>& seeded) {
    D total = D(0.0);
    for (const D& energy : e(Matrix<D>(x.rows, x.cols, seeded), lift<D>(w)).values) total += energy;
    return total;
  };
  return Matrix<T>(x.rows, x.cols, gradient(sum, lift<T>(x).values));
}

/// mean_i ||grad_x E(x_i)||^2, as a function of the energy's parameters
template <class T>
T zero_centred_penalty(const Network& e, const Vector<T>& w, const Matrix<double>& x) {
  const Matrix<T> slopes = energy_gradients(e, x, w);
  return dot(slopes.values, slopes.values) / T(static_cast<double>(x.rows));
}

}  // namespace ebm::reference
