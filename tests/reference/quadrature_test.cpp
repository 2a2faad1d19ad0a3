// SPDX-License-Identifier: MIT
#include "reference/quadrature.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "reference/lobpcg.h"
#include "support/tolerance.h"

namespace ebm::reference {
namespace {

using test::close;
using V = std::vector<double>;

Matrix<double> diagonal(const V& values) {
  Matrix<double> result(std::ssize(values), std::ssize(values));
  for (int64_t i = 0; i < result.rows; ++i) result(i, i) = values[i];
  return result;
}

/// q^T f(J^T J) q for diagonal J.
template <class F>
double exact(const V& s, const V& start, const F& f) {
  double sum = 0;
  for (size_t i = 0; i < s.size(); ++i) sum += start[i] * start[i] * f(s[i] * s[i]);
  return sum / dot(start, start);
}

TEST(ReferenceQuadratureTest, LanczosIsTheProjectionOfA) {
  Random random(1);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 12, 100), 15, random);
  const Lanczos l = lanczos(j, random.normals(12), 5);
  Matrix<double> q(12, 5);
  for (int64_t i = 0; i < 5; ++i) q.set_column(i, l.q[i]);
  EXPECT_TRUE(close(multiply(transpose(q), q).values, identity(5).values));
  EXPECT_TRUE(
      close(multiply(multiply(transpose(q), multiply(transpose(j), j)), q).values, tridiagonal(l).values));
}

TEST(ReferenceQuadratureTest, GaussIsExactForPolynomialsOfDegreeTwiceTheNodesLessOne) {
  const V s = spectrum("geo", 16, 10);
  Random random(2);
  const V start = random.normals(16);
  const auto power = [](int k) { return [k](double x) { return std::pow(x, k); }; };
  for (const int64_t n : {1, 2, 4}) {
    const Lanczos l = lanczos(diagonal(s), start, n);
    for (int k = 0; k <= 2 * n - 1; ++k)
      EXPECT_TRUE(close(quadrature(tridiagonal(l), power(k)), exact(s, start, power(k)))) << n << " " << k;
    EXPECT_FALSE(close(quadrature(tridiagonal(l), power(2 * n)), exact(s, start, power(2 * n)))) << n;
    // one node more, fixed: degree 2 n
    const Matrix<double> radau = radau_matrix(l, 0.005);
    for (int k = 0; k <= 2 * n; ++k)
      EXPECT_TRUE(close(quadrature(radau, power(k)), exact(s, start, power(k)),
                        {.factor = 10, .reason = "one solve with cond 100"}))
          << n << " " << k;
    EXPECT_FALSE(close(quadrature(radau, power(2 * n + 1)), exact(s, start, power(2 * n + 1)))) << n;
  }
}

TEST(ReferenceQuadratureTest, RadauHasItsNode) {
  Random random(3);
  const Lanczos l = lanczos(random.matrix(9, 7), random.normals(7), 4);
  const double a = 0.5 * symmetric_eigen(tridiagonal(l)).values.front();
  EXPECT_TRUE(
      close(symmetric_eigen(radau_matrix(l, a)).values.front() / a, 1.0, {.factor = 1000, .reason = "cond"}));
}

TEST(ReferenceQuadratureTest, GaussAboveRadauBelowForEveryProbe) {
  // For one probe the rules bound q^T log(A) q itself, not only in the mean.
  Random random(4);
  const V s = spectrum("geo", 24, 10);
  for (int i = 0; i < 20; ++i) {
    const V start = random.normals(24);
    const double truth = exact(s, start, log_of);
    for (const int64_t n : {1, 3, 6}) {
      const Lanczos l = lanczos(diagonal(s), start, n);
      EXPECT_GT(quadrature(tridiagonal(l), log_of), truth);
      EXPECT_LT(quadrature(radau_matrix(l, 0.999 * 0.01), log_of), truth);
    }
  }
}

TEST(ReferenceQuadratureTest, FullDimensionAndEqualComponentsGiveTheLogDet) {
  Random random(5);
  const V s = spectrum("lin", 10, 20);
  double log_det = 0;
  for (const double value : s) log_det += std::log(value);
  const Slq estimate = slq(diagonal(s), V(10, 1.0), 10, 0.5);
  EXPECT_TRUE(close(estimate.gauss, log_det, {.factor = 1000, .reason = "cond 400"}));
  EXPECT_TRUE(
      close(estimate.radau, log_det, {.factor = 1000, .reason = "the space is exhausted: no border"}));
}

TEST(ReferenceQuadratureTest, ExhaustedSpaceStops) {
  V s(12, 1.0);
  for (int i = 6; i < 12; ++i) s[i] = 2.0;
  Random random(6);
  const V start = random.normals(12);
  const Lanczos l = lanczos(diagonal(s), start, 5);
  ASSERT_EQ(l.alpha.size(), 2u);
  EXPECT_EQ(l.beta.back(), 0.0);
  EXPECT_TRUE(close(quadrature(tridiagonal(l), log_of), exact(s, start, log_of)));
  EXPECT_TRUE(close(quadrature(radau_matrix(l, 0.1), log_of), exact(s, start, log_of)));
}

TEST(ReferenceQuadratureTest, SurrogatePairsGiveDAndSolveTheSystem) {
  Random random(7);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 9, 10), 14, random);
  const V probe = random.normals(9);
  for (const int64_t n : {1, 3, 9}) {
    const Slq estimate = slq(j, probe, n, 0.1);
    EXPECT_TRUE(close(dot(estimate.u, multiply(j, estimate.v)), 9.0, {.factor = 10, .reason = "n solves"}))
        << n;
  }
  // n = d: u = J A^-1 v with v = sqrt(d) g / ||g||
  const Slq full = slq(j, probe, 9, 0.1);
  EXPECT_TRUE(close(full.v, scale(3 / norm(probe), probe)));
  const V expected = multiply(j, solve_spd(multiply(transpose(j), j), full.v));
  EXPECT_TRUE(close(full.u, expected, {.factor = 1000, .reason = "cond 100"}));
}

TEST(ReferenceQuadratureTest, PerfectWhiteningIsExactAtOneStep) {
  Random random(8);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 11, 100), 13, random);
  const Matrix<double> c = cholesky(multiply(transpose(j), j));
  double log_det = 0;
  for (const double value : spectrum("geo", 11, 100)) log_det += std::log(value);
  const Slq estimate = slq(j, random.normals(11), 1, 0.1, c);
  EXPECT_TRUE(close(estimate.gauss, log_det, {.factor = 1e4, .reason = "cond 1e4"}));
  EXPECT_TRUE(close(dot(estimate.u, multiply(j, estimate.v)), 11.0));
}

TEST(ReferenceQuadratureTest, ImperfectWhiteningKeepsTheValueAtFullDimension) {
  // Any C: with n = d and probes with equal components in the eigenbasis of the whitened A the value is L.
  Random random(9);
  const Matrix<double> j = matrix_with_spectrum(spectrum("lin", 6, 5), 8, random);
  const Matrix<double> b = random.matrix(9, 6);
  const Matrix<double> c = cholesky(multiply(transpose(b), b));
  Matrix<double> whitened(8, 6);  // J C^-T: rows solve C x = row
  for (int64_t i = 0; i < 8; ++i) whitened.set_row(i, solve_lower(c, j.row(i)));
  const Matrix<double> vectors = symmetric_eigen(multiply(transpose(whitened), whitened)).vectors;
  V start(6, 0.0);
  for (int64_t i = 0; i < 6; ++i) start = combine(1.0, start, 1.0, vectors.column(i));
  double log_det = 0;
  for (const double value : spectrum("lin", 6, 5)) log_det += std::log(value);
  EXPECT_TRUE(
      close(slq(j, start, 6, 0.1, c).gauss, log_det, {.factor = 1e4, .reason = "cond of the whitened A"}));
}

}  // namespace
}  // namespace ebm::reference
