// SPDX-License-Identifier: MIT
// Iterations for the smallest singular value of a dense J (D x d), each step a Rayleigh-Ritz solve on an
// explicit orthonormal basis S of a small space: theta = smallest eigenvalue of (J S)^T (J S), v = S c.
// Inputs must be finite.
//
//   lobpcg             S spans {v, T r, p}: r = J^T J v - theta v, p = the part of the last step outside v
//   authors_iteration  S = orthonormalised [v, r / mean(r), p], p = the last two columns of S times their
//                      coefficients
//   krylov             S spans {v0, A v0, ..., A^k v0}, A = J^T J, with full re-orthogonalisation
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "reference/linalg.h"

namespace ebm::reference {

struct Iterates {
  Vector<double> theta;  ///< ||J v||^2 / ||v||^2 after 0, 1, ..., K iterations
  Vector<double> v;      ///< unit

  double log_s1() const { return 0.5 * std::log(theta.back()); }
};

using Basis = std::vector<Vector<double>>;

inline double rayleigh(const Matrix<double>& j, const Vector<double>& v) {
  const Vector<double> jv = multiply(j, v);
  return dot(jv, jv) / dot(v, v);
}

/// Coefficients of the smallest Ritz vector on the orthonormal `basis`.
inline Vector<double> ritz_coefficients(const Matrix<double>& j, const Basis& basis) {
  Matrix<double> js(j.rows, std::ssize(basis));
  for (int64_t i = 0; i < js.cols; ++i) js.set_column(i, multiply(j, basis[i]));
  return svd(js).v.column(0);
}

inline Vector<double> combination(const Basis& basis, const Vector<double>& c, size_t from = 0) {
  Vector<double> x(basis.front().size(), 0.0);
  for (size_t i = from; i < basis.size(); ++i) x = combine(1.0, x, c[i], basis[i]);
  return x;
}

/// A start that is zero is replaced by ones.
inline Vector<double> unit_start(Vector<double> v0) {
  if (!(norm(v0) > 0)) v0.assign(v0.size(), 1.0);
  return scale(1 / norm(v0), v0);
}

struct LobpcgOptions {
  int64_t iterations = 2;
  Vector<double> p0 = {};              ///< empty: no p in the first iteration
  Matrix<double> preconditioner = {};  ///< empty: the identity
};

inline Iterates lobpcg(const Matrix<double>& j, const Vector<double>& v0, const LobpcgOptions& options) {
  Vector<double> v = unit_start(v0);
  Vector<double> p = options.p0.empty() ? Vector<double>{} : orthonormalise(options.p0, {v});
  Iterates result{.theta = {rayleigh(j, v)}, .v = {}};
  for (int64_t k = 0; k < options.iterations; ++k) {
    const double sigma = std::sqrt(result.theta.back());
    if (sigma > 0) {
      // r / sigma, so that its size is that of J and not of J^T J
      const Vector<double> gradient = multiply(transpose(j), scale(1 / sigma, multiply(j, v)));
      Vector<double> r = combine(1.0, gradient, -sigma, v);
      if (options.preconditioner.rows > 0) r = multiply(options.preconditioner, r);
      Basis basis{v};
      if (!p.empty()) basis.push_back(p);
      const Vector<double> w = orthonormalise(r, basis);
      if (!w.empty()) basis.push_back(w);
      const Vector<double> c = ritz_coefficients(j, basis);
      const Vector<double> step = combination(basis, c, 1);
      v = combination(basis, c);
      v = scale(1 / norm(v), v);
      p = orthonormalise(step, {v});
    }
    result.theta.push_back(rayleigh(j, v));
  }
  result.v = v;
  return result;
}

enum class BasisOrder {
  svd,  ///< as published: left singular vectors of [v, r, p], largest singular value first
  qr    ///< Gram-Schmidt in the order v, r, p: then the last two columns are the (r, p) part, i.e. LOBPCG
};

/// v is not normalised before the first step and p0 is required; d >= 3. r = 0 has no mean to divide by: not
/// defined.
inline Iterates authors_iteration(const Matrix<double>& j, Vector<double> v, Vector<double> p,
                                  int64_t iterations, BasisOrder order) {
  if (j.cols < 3) throw std::invalid_argument("authors_iteration: the basis of three needs d >= 3");
  Iterates result{.theta = {rayleigh(j, v)}, .v = {}};
  for (int64_t k = 0; k < iterations; ++k) {
    const Vector<double> gradient = multiply(transpose(j), multiply(j, v));
    Vector<double> r = combine(1.0, gradient, -result.theta.back(), v);
    r = scale(1 / mean(r), r);
    Basis basis;
    if (order == BasisOrder::svd) {
      Matrix<double> columns(j.cols, 3);
      columns.set_column(0, v);
      columns.set_column(1, r);
      columns.set_column(2, p);
      const Matrix<double> u = svd(columns).u;  // ascending
      basis = {u.column(2), u.column(1), u.column(0)};
    } else {
      for (const Vector<double>& x : {v, r, p})
        if (Vector<double> q = orthonormalise(x, basis); !q.empty()) basis.push_back(q);
    }
    const Vector<double> c = ritz_coefficients(j, basis);
    p = combination(basis, c, basis.size() - 2);
    v = combination(basis, c);
    result.theta.push_back(rayleigh(j, v));
  }
  result.v = scale(1 / norm(v), v);
  return result;
}

inline Iterates krylov(const Matrix<double>& j, const Vector<double>& v0, int64_t iterations) {
  Basis basis{unit_start(v0)};
  Iterates result{.theta = {rayleigh(j, basis.front())}, .v = basis.front()};
  bool exhausted = false;
  for (int64_t k = 0; k < iterations; ++k) {
    const Vector<double> next = orthonormalise(multiply(transpose(j), multiply(j, basis.back())), basis);
    exhausted = exhausted || next.empty();
    if (!exhausted) {
      basis.push_back(next);
      result.v = combination(basis, ritz_coefficients(j, basis));
    }
    result.theta.push_back(rayleigh(j, result.v));
  }
  return result;
}

}  // namespace ebm::reference
