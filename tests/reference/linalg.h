// SPDX-License-Identifier: MIT
// Small dense linear algebra by the plainest accurate method: cyclic Jacobi for symmetric eigenproblems,
// one-sided Jacobi for singular values (high relative accuracy, A^T A is never formed), Cholesky,
// Gram-Schmidt done twice.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/matrix.h"
#include "reference/random.h"

namespace ebm::reference {

/// a = vectors diag(values) vectors^T, values ascending, vectors in columns.
struct Eigen {
  Vector<double> values;
  Matrix<double> vectors;
};

inline std::vector<int64_t> order_of(const Vector<double>& keys) {
  std::vector<int64_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) { return keys[i] < keys[j]; });
  return order;
}

/// Cosine and sine of the rotation by which Jacobi makes the off-diagonal entry pq of [pp pq; pq qq] zero.
struct Rotation {
  double c = 1.0;
  double s = 0.0;
};
inline Rotation jacobi_rotation(double pp, double qq, double pq) {
  if (pq == 0.0) return {};
  const double zeta = (qq - pp) / (2 * pq);
  const double t = (zeta >= 0 ? 1.0 : -1.0) / (std::abs(zeta) + std::hypot(1.0, zeta));
  const double c = 1 / std::sqrt(1 + t * t);
  return {c, c * t};
}
/// (x, y) <- (c x - s y, s x + c y)
inline void rotate(const Rotation& r, double& x, double& y) {
  const double old = x;
  x = r.c * old - r.s * y;
  y = r.s * old + r.c * y;
}

inline Eigen symmetric_eigen(Matrix<double> a) {
  const int64_t n = a.rows;
  Matrix<double> v = identity(n);
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool rotated = false;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        if (!(std::abs(a(p, q)) > 1e-17 * std::sqrt(std::abs(a(p, p) * a(q, q))))) continue;
        rotated = true;
        const Rotation r = jacobi_rotation(a(p, p), a(q, q), a(p, q));
        for (int64_t i = 0; i < n; ++i) rotate(r, a(i, p), a(i, q));
        for (int64_t i = 0; i < n; ++i) rotate(r, a(p, i), a(q, i));
        for (int64_t i = 0; i < n; ++i) rotate(r, v(i, p), v(i, q));
        a(p, q) = a(q, p) = 0.0;
      }
    if (!rotated) break;
  }
  Vector<double> diagonal;
  for (int64_t i = 0; i < n; ++i) diagonal.push_back(a(i, i));
  Eigen result{.values = {}, .vectors = Matrix<double>(n, n)};
  for (const int64_t i : order_of(diagonal)) {
    result.vectors.set_column(std::ssize(result.values), v.column(i));
    result.values.push_back(diagonal[i]);
  }
  return result;
}

/// a = u diag(values) v^T, values ascending. u's columns of zero singular values are zero.
struct Svd {
  Matrix<double> u;
  Vector<double> values;
  Matrix<double> v;
};

/// One-sided Jacobi: rotate columns of a until all are orthogonal; their norms are the singular values.
inline Svd svd(Matrix<double> a) {
  const int64_t n = a.cols;
  Matrix<double> columns = transpose(a);  // columns as rows: contiguous
  Matrix<double> v = identity(n);         // likewise transposed
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool rotated = false;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        double* x = &columns.values[static_cast<size_t>(p * a.rows)];
        double* y = &columns.values[static_cast<size_t>(q * a.rows)];
        double pp = 0;
        double qq = 0;
        double pq = 0;
        for (int64_t i = 0; i < a.rows; ++i) {
          pp += x[i] * x[i];
          qq += y[i] * y[i];
          pq += x[i] * y[i];
        }
        if (!(std::abs(pq) > 1e-15 * std::sqrt(pp) * std::sqrt(qq))) continue;
        rotated = true;
        const Rotation r = jacobi_rotation(pp, qq, pq);
        for (int64_t i = 0; i < a.rows; ++i) rotate(r, x[i], y[i]);
        for (int64_t i = 0; i < n; ++i) rotate(r, v(p, i), v(q, i));
      }
    if (!rotated) break;
  }
  Vector<double> norms;
  for (int64_t i = 0; i < n; ++i) norms.push_back(norm(columns.row(i)));
  Svd result{.u = Matrix<double>(a.rows, n), .values = {}, .v = Matrix<double>(n, n)};
  for (const int64_t i : order_of(norms)) {
    const int64_t j = std::ssize(result.values);
    if (norms[i] > 0) result.u.set_column(j, scale(1 / norms[i], columns.row(i)));
    result.v.set_column(j, v.row(i));
    result.values.push_back(norms[i]);
  }
  return result;
}

struct Smallest {
  double s = 0.0;    ///< smallest singular value
  Vector<double> v;  ///< its right singular vector, unit, first component of largest size positive
};
inline Smallest smallest_singular(const Matrix<double>& j) {
  const Svd decomposition = svd(j);
  Vector<double> v = decomposition.v.column(0);
  const auto largest =
      std::max_element(v.begin(), v.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest < 0) v = scale(-1.0, v);
  return {decomposition.values.front(), v};
}

/// Lower triangular c with c c^T = a; any scalar. Throws where a is not positive definite.
template <class T>
Matrix<T> cholesky(const Matrix<T>& a) {
  using std::sqrt;
  Matrix<T> c(a.rows, a.rows);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      T sum = a(i, j);
      for (int64_t k = 0; k < j; ++k) sum -= c(i, k) * c(j, k);
      if (i == j) {
        if (!(sum > T(0.0))) throw std::domain_error("cholesky: not positive definite");
        c(i, i) = sqrt(sum);
      } else {
        c(i, j) = sum / c(j, j);
      }
    }
  return c;
}

template <class T>
T log_det_spd(const Matrix<T>& a) {
  using std::log;
  const Matrix<T> c = cholesky(a);
  T sum = T(0.0);
  for (int64_t i = 0; i < c.rows; ++i) sum += T(2.0) * log(c(i, i));
  return sum;
}

/// c^-1 b and c^-T b for lower triangular c.
inline Vector<double> solve_lower(const Matrix<double>& c, Vector<double> b) {
  for (int64_t i = 0; i < c.rows; ++i) {
    for (int64_t k = 0; k < i; ++k) b[i] -= c(i, k) * b[k];
    b[i] /= c(i, i);
  }
  return b;
}
inline Vector<double> solve_lower_transposed(const Matrix<double>& c, Vector<double> b) {
  for (int64_t i = c.rows - 1; i >= 0; --i) {
    for (int64_t k = i + 1; k < c.rows; ++k) b[i] -= c(k, i) * b[k];
    b[i] /= c(i, i);
  }
  return b;
}
/// a^-1 b for symmetric positive definite a.
inline Vector<double> solve_spd(const Matrix<double>& a, const Vector<double>& b) {
  const Matrix<double> c = cholesky(a);
  return solve_lower_transposed(c, solve_lower(c, b));
}

/// x made unit and orthogonal to `basis` (orthonormal vectors): Gram-Schmidt until a pass removes less than
/// half. Returns an empty vector when x lies in the span of the basis (four passes did not settle, or x is
/// zero).
inline Vector<double> orthonormalise(Vector<double> x, const std::vector<Vector<double>>& basis) {
  for (int pass = 0; pass < 4; ++pass) {
    const double before = norm(x);
    if (!(before > 0)) return {};
    x = scale(1 / before, x);
    for (const Vector<double>& b : basis) x = combine(1.0, x, -dot(b, x), b);
    const double left = norm(x);
    if (!(left > 0)) return {};
    x = scale(1 / left, x);
    if (left > 0.5 && pass > 0) return x;
  }
  return {};
}

/// rows x cols with orthonormal columns: the Q of a Gaussian matrix's QR.
inline Matrix<double> random_orthonormal(int64_t rows, int64_t cols, Random& random) {
  if (rows < cols) throw std::invalid_argument("random_orthonormal: more columns than rows");
  std::vector<Vector<double>> basis;
  Matrix<double> q(rows, cols);
  while (std::ssize(basis) < cols) {
    Vector<double> x = orthonormalise(random.normals(rows), basis);
    if (x.empty()) continue;
    q.set_column(std::ssize(basis), x);
    basis.push_back(std::move(x));
  }
  return q;
}

/// Test spectra with singular values in [1/kappa, 1], ascending:
///   lin: equally spaced; geo: geometric; clusterlow: 8 smallest within 0.1 %, then geometric from 1.5/kappa;
///   isolated: 1/kappa, then equally spaced in [.5, 1]; clustertop: d - 8 equally spaced in [1, 2]/kappa, 8
///   at 1.
inline Vector<double> spectrum(const std::string& name, int64_t d, double kappa) {
  const auto spaced = [](double from, double to, int64_t n) {
    Vector<double> x;
    for (int64_t i = 0; i < n; ++i)
      x.push_back(n == 1 ? from : from + (to - from) * static_cast<double>(i) / static_cast<double>(n - 1));
    return x;
  };
  const auto geometric = [&](double from, double to, int64_t n) {
    Vector<double> x = spaced(std::log(from), std::log(to), n);
    for (double& element : x) element = std::exp(element);
    return x;
  };
  const auto joined = [](Vector<double> a, const Vector<double>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  if (name == "lin") return spaced(1 / kappa, 1, d);
  if (name == "geo") return geometric(1 / kappa, 1, d);
  if (name == "clusterlow")
    return joined(spaced(1 / kappa, 1.001 / kappa, 8), geometric(1.5 / kappa, 1, d - 8));
  if (name == "isolated") return joined({1 / kappa}, spaced(0.5, 1, d - 1));
  if (name == "clustertop") return joined(spaced(1 / kappa, 2 / kappa, d - 8), Vector<double>(8, 1.0));
  throw std::invalid_argument("spectrum: unknown name " + name);
}

/// J = U diag(s) V^T with random orthogonal factors, D x d with d = |s|; for D = d U is left out (J^T J is
/// the same law).
inline Matrix<double> matrix_with_spectrum(const Vector<double>& s, int64_t D, Random& random) {
  const int64_t d = std::ssize(s);
  Matrix<double> sv = transpose(random_orthonormal(d, d, random));
  for (int64_t i = 0; i < d; ++i) sv.set_row(i, scale(s[i], sv.row(i)));
  return D == d ? sv : multiply(random_orthonormal(D, d, random), sv);
}

}  // namespace ebm::reference
