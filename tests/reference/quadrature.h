// SPDX-License-Identifier: MIT
// Stochastic Lanczos quadrature of L = 1/2 log det(J^T J), one sample, one probe g ~ N(0, I), with full
// re-orthogonalisation. Whitened by M = C C^T (C = I without): A = C^-1 J^T J C^-T, q1 = g / ||g||,
//   u_j = J C^-T q_j,  alpha_j = ||u_j||^2,  beta_j q_{j+1} = C^-1 J^T u_j - (components along q_1..q_j).
// T_n = tridiag(alpha, beta) has eigenvalues t_i and first eigenvector components whose squares are the
// weights y_i.
//   Gauss       sum y_i f(t_i): for f = log at least q1^T log(A) q1
//   left Radau  the same of T_n bordered by beta_n and a + delta_n, (T_n - a I) delta = beta_n^2 e_n:
//               a becomes a node; for f = log at most q1^T log(A) q1 if a <= smallest eigenvalue of A
//   L ~ log det C + d/2 * quadrature,   dL ~ u^T dJ v with u = sum_j c_j u_j, c = sqrt(d) T_n^-1 e_1,
//                                       v = sqrt(d) C^-T q1;   u^T J v = d.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/linalg.h"

namespace ebm::reference {

struct Lanczos {
  Vector<double> alpha;           ///< n of them, fewer when the Krylov space is exhausted
  Vector<double> beta;            ///< as many; the last one is the border (0 when exhausted)
  std::vector<Vector<double>> q;  ///< orthonormal
  std::vector<Vector<double>> u;  ///< J C^-T q_j
};

inline Lanczos lanczos(const Matrix<double>& j, const Vector<double>& start, int64_t n,
                       const Matrix<double>& c = {}) {
  const bool whitened = c.rows > 0;
  Lanczos result;
  Vector<double> q = scale(1 / norm(start), start);
  for (int64_t k = 0; k < n; ++k) {
    const Vector<double> u = multiply(j, whitened ? solve_lower_transposed(c, q) : q);
    result.q.push_back(q);
    result.u.push_back(u);
    result.alpha.push_back(dot(u, u));
    Vector<double> h = multiply(transpose(j), u);
    if (whitened) h = solve_lower(c, h);
    for (int pass = 0; pass < 2; ++pass)
      for (const Vector<double>& x : result.q) h = combine(1.0, h, -dot(x, h), x);
    const double beta = norm(h);
    if (!(beta > 1e-14 * result.alpha.front())) {
      result.beta.push_back(0.0);
      break;
    }
    result.beta.push_back(beta);
    q = scale(1 / beta, h);
  }
  return result;
}

inline Matrix<double> tridiagonal(const Lanczos& lanczos) {
  const int64_t n = std::ssize(lanczos.alpha);
  Matrix<double> t(n, n);
  for (int64_t i = 0; i < n; ++i) {
    t(i, i) = lanczos.alpha[i];
    if (i + 1 < n) t(i, i + 1) = t(i + 1, i) = lanczos.beta[i];
  }
  return t;
}

/// sum_i y_i f(t_i) of a tridiagonal matrix: its (1,1) entry of f(T).
template <class F>
double quadrature(const Matrix<double>& t, const F& f) {
  const Eigen eigen = symmetric_eigen(t);
  double sum = 0.0;
  for (int64_t i = 0; i < t.rows; ++i) {
    const double weight = eigen.vectors(0, i) * eigen.vectors(0, i);
    if (weight > 0) sum += weight * f(eigen.values[i]);
  }
  return sum;
}

/// T_n bordered so that a is an eigenvalue; a must lie below all eigenvalues of T_n.
inline Matrix<double> radau_matrix(const Lanczos& lanczos, double a) {
  const Matrix<double> t = tridiagonal(lanczos);
  const int64_t n = t.rows;
  Matrix<double> shifted = t;
  for (int64_t i = 0; i < n; ++i) shifted(i, i) -= a;
  const double border = lanczos.beta.back();
  Vector<double> last(static_cast<size_t>(n), 0.0);
  last.back() = border * border;
  Matrix<double> result(n + 1, n + 1);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < n; ++k) result(i, k) = t(i, k);
  result(n, n - 1) = result(n - 1, n) = border;
  result(n, n) = a + solve_spd(shifted, last).back();
  return result;
}

inline double log_of(double x) {
  return std::log(x);
}

struct Slq {
  double gauss = 0.0;
  double radau = 0.0;
  double theta1 = 0.0;  ///< smallest eigenvalue of T_n
  Vector<double> u;     ///< D
  Vector<double> v;     ///< d
};

/// The node of the Radau rule is radau_fraction * theta1.
inline Slq slq(const Matrix<double>& j, const Vector<double>& probe, int64_t n, double radau_fraction,
               const Matrix<double>& c = {}) {
  const double d = static_cast<double>(j.cols);
  double log_det_c = 0.0;
  for (int64_t i = 0; i < c.rows; ++i) log_det_c += std::log(c(i, i));
  const Lanczos l = lanczos(j, probe, n, c);
  const Matrix<double> t = tridiagonal(l);
  Slq result;
  result.theta1 = symmetric_eigen(t).values.front();
  result.gauss = log_det_c + d / 2 * quadrature(t, log_of);
  result.radau = log_det_c + d / 2 * quadrature(radau_matrix(l, radau_fraction * result.theta1), log_of);
  Vector<double> e1(l.alpha.size(), 0.0);
  e1.front() = std::sqrt(d);
  const Vector<double> coefficients = solve_spd(t, e1);
  result.u.assign(static_cast<size_t>(j.rows), 0.0);
  for (size_t k = 0; k < l.u.size(); ++k) result.u = combine(1.0, result.u, coefficients[k], l.u[k]);
  result.v = scale(std::sqrt(d), c.rows > 0 ? solve_lower_transposed(c, l.q.front()) : l.q.front());
  return result;
}

}  // namespace ebm::reference
