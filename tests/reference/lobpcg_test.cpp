// SPDX-License-Identifier: MIT
#include "reference/lobpcg.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/tolerance.h"

namespace ebm::reference {
namespace {

using test::close;
using V = std::vector<double>;

V ratios(const V& a, const V& b, size_t n) {
  V result;
  for (size_t i = 0; i < n; ++i) result.push_back(a[i] / b[i]);
  return result;
}
double s1_error(double theta, double s1) {
  return std::sqrt(theta) / s1 - 1;
}

Matrix<double> with_values(const std::vector<std::pair<double, int>>& repeated, Random& random) {
  V s;
  for (const auto& [value, times] : repeated) s.insert(s.end(), static_cast<size_t>(times), value);
  return matrix_with_spectrum(s, std::ssize(s), random);
}

TEST(ReferenceLobpcgTest, FirstTwoStepsAreKrylovs) {
  Random random(1);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 40, 100), 50, random);
  const V v0 = random.normals(40);
  const Iterates lob = lobpcg(j, v0, {.iterations = 4});
  const Iterates kry = krylov(j, v0, 4);
  ASSERT_EQ(lob.theta.size(), 5u);
  EXPECT_TRUE(close(ratios(lob.theta, kry.theta, 3), V(3, 1.0), {.factor = 100, .reason = "kappa 100"}));
  EXPECT_GT(lob.theta[4], kry.theta[4] * (1 + 1e-8));  // a short recurrence from there on
}

TEST(ReferenceLobpcgTest, FewDistinctValuesAreFoundInAsManyStepsLessOne) {
  Random random(2);
  const V v0 = random.normals(20);
  const Matrix<double> two = with_values({{1, 12}, {3, 8}}, random);
  EXPECT_TRUE(close(lobpcg(two, v0, {.iterations = 1}).theta.back(), 1.0));
  const Matrix<double> three = with_values({{1, 8}, {2, 6}, {3, 6}}, random);
  EXPECT_TRUE(close(lobpcg(three, v0, {.iterations = 2}).theta.back(), 1.0));
  const Matrix<double> four = with_values({{1, 6}, {2, 6}, {3, 4}, {5, 4}}, random);
  EXPECT_GT(s1_error(lobpcg(four, v0, {.iterations = 3}).theta.back(), 1.0), 1e-6);
  EXPECT_TRUE(close(krylov(four, v0, 3).theta.back(), 1.0, {.factor = 10, .reason = "4 Krylov vectors"}));
}

TEST(ReferenceLobpcgTest, SmallDimensionsAreExact) {
  Random random(3);
  const Matrix<double> one = random.matrix(4, 1);
  EXPECT_TRUE(close(lobpcg(one, {-2.0}, {.iterations = 0}).theta.back(), dot(one.values, one.values)));
  EXPECT_EQ(lobpcg(one, {-2.0}, {.iterations = 2}).theta.size(), 3u);
  const Matrix<double> two = random.matrix(5, 2);
  const double s = smallest_singular(two).s;
  EXPECT_TRUE(close(lobpcg(two, random.normals(2), {.iterations = 1}).theta.back() / (s * s), 1.0));
}

TEST(ReferenceLobpcgTest, ConvergesOnAnIsolatedValueAndNeverRises) {
  Random random(4);
  for (const double kappa : {10.0, 1e2, 1e3, 1e4}) {
    const Matrix<double> j = matrix_with_spectrum(spectrum("isolated", 30, kappa), 30, random);
    const Iterates found = lobpcg(j, random.normals(30), {.iterations = kappa == 1e2 ? 300 : 60});
    const double bound = std::max(1e-13, 1e-12 * kappa);
    EXPECT_LE(std::abs(s1_error(found.theta[60], 1 / kappa)), bound);
    for (size_t k = 1; k < found.theta.size(); ++k) {
      EXPECT_LE(found.theta[k], found.theta[k - 1] * (1 + 1e-12));
      EXPECT_GE(s1_error(found.theta[k], 1 / kappa), -bound);
    }
    EXPECT_TRUE(close(norm(found.v), 1.0));
    EXPECT_TRUE(close(rayleigh(j, found.v), found.theta.back()));
  }
}

TEST(ReferenceLobpcgTest, ErrorsAreThoseOfThePublishedTable) {
  // Median relative error of s1 of 65 starts at d = 128 after K = 1, 2, 5, 10 iterations, known from an
  // independent implementation (32 starts): geo 10: 1.88 1.27 .57 .27; lin 10: 2.78 1.91 .84 .34.
  const auto medians = [](const std::string& name) {
    const V s = spectrum(name, 128, 10);
    Matrix<double> j(128, 128);  // rotations of J and of v0 alike change nothing, so a diagonal one will do
    for (int64_t i = 0; i < 128; ++i) j(i, i) = s[i];
    Random random(5);
    std::vector<V> errors(4);
    for (int i = 0; i < 65; ++i) {
      const Iterates found = lobpcg(j, random.normals(128), {.iterations = 10});
      for (const auto& [slot, k] : {std::pair{0, 1}, {1, 2}, {2, 5}, {3, 10}})
        errors[slot].push_back(s1_error(found.theta[k], 0.1));
    }
    V result;
    for (V& e : errors) {
      std::sort(e.begin(), e.end());
      result.push_back(e[32]);
    }
    return result;
  };
  const auto expect_near = [](const V& actual, const V& expected) {
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i] / expected[i], 1.0, 0.1) << i;
  };
  expect_near(medians("geo"), {1.88, 1.27, 0.57, 0.27});
  expect_near(medians("lin"), {2.78, 1.91, 0.84, 0.34});
}

TEST(ReferenceLobpcgTest, ScaleAndRotation) {
  Random random(6);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 12, 30), 17, random);
  const V v0 = random.normals(12);
  const Iterates plain = lobpcg(j, v0, {.iterations = 5});
  Matrix<double> small = j;
  small.values = scale(1e-25, small.values);
  EXPECT_TRUE(close(scale(1e50, lobpcg(small, v0, {.iterations = 5}).theta), plain.theta,
                    {.factor = 100, .reason = "rounding grows with the steps"}));
  const Matrix<double> rotation = random_orthonormal(12, 12, random);
  EXPECT_TRUE(close(lobpcg(multiply(j, rotation), multiply(transpose(rotation), v0), {.iterations = 5}).theta,
                    plain.theta, {.factor = 1000, .reason = "rounding grows with the steps"}));
}

TEST(ReferenceLobpcgTest, Preconditioner) {
  Random random(7);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 15, 50), 20, random);
  const V v0 = random.normals(15);
  Matrix<double> multiple = identity(15);
  multiple.values = scale(7.0, multiple.values);
  EXPECT_TRUE(close(lobpcg(j, v0, {.iterations = 4, .preconditioner = multiple}).theta,
                    lobpcg(j, v0, {.iterations = 4}).theta, {.factor = 100, .reason = "rounding"}));
  // T = (J^T J)^-1 is inverse iteration with Rayleigh-Ritz: one step beats ten without.
  const Matrix<double> a = multiply(transpose(j), j);
  Matrix<double> inverse(15, 15);
  for (int64_t i = 0; i < 15; ++i) inverse.set_column(i, solve_spd(a, identity(15).column(i)));
  EXPECT_LT(lobpcg(j, v0, {.iterations = 3, .preconditioner = inverse}).theta.back(),
            lobpcg(j, v0, {.iterations = 10}).theta.back());
}

TEST(ReferenceLobpcgTest, StartsThatNeedCare) {
  Random random(8);
  const Matrix<double> j = matrix_with_spectrum(spectrum("isolated", 6, 10), 6, random);
  const Smallest exact = smallest_singular(j);
  EXPECT_TRUE(
      close(lobpcg(j, exact.v, {.iterations = 5}).theta, V(6, 0.01), {.factor = 100, .reason = "kappa^2"}));
  const Iterates from_zero = lobpcg(j, V(6, 0.0), {.iterations = 3});
  EXPECT_EQ(from_zero.theta, lobpcg(j, V(6, 1.0), {.iterations = 3}).theta);
  EXPECT_EQ(lobpcg(Matrix<double>(4, 6), random.normals(6), {.iterations = 3}).theta, V(4, 0.0));
  Matrix<double> orthogonal = random_orthonormal(6, 6, random);
  EXPECT_TRUE(close(lobpcg(orthogonal, random.normals(6), {.iterations = 4}).theta, V(5, 1.0)));
}

TEST(ReferenceLobpcgTest, AuthorsVariantWithQrOrderIsLobpcg) {
  Random random(9);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 40, 100), 60, random);
  const V v0 = random.normals(40);
  const V p0 = random.normals(40);
  const Iterates qr = authors_iteration(j, v0, p0, 10, BasisOrder::qr);
  const Iterates own = lobpcg(j, v0, {.iterations = 10, .p0 = p0});
  EXPECT_TRUE(
      close(ratios(qr.theta, own.theta, 11), V(11, 1.0), {.factor = 1000, .reason = "1e-12 over ten steps"}));
}

TEST(ReferenceLobpcgTest, AuthorsVariantWithSvdOrderIsSlowerFromTheThirdStep) {
  Random random(10);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 64, 10), 64, random);
  const V v0 = random.normals(64);
  const V p0 = random.normals(64);
  const Iterates published = authors_iteration(j, v0, p0, 30, BasisOrder::svd);
  const Iterates own = lobpcg(j, v0, {.iterations = 30, .p0 = p0});
  EXPECT_TRUE(
      close(published.theta[1], own.theta[1], {.factor = 100, .reason = "the same three-dimensional space"}));
  EXPECT_GT(s1_error(published.theta[30], 0.1), 2 * s1_error(own.theta[30], 0.1));
  for (size_t k = 1; k <= 30; ++k) EXPECT_LE(published.theta[k], published.theta[k - 1] * (1 + 1e-12));
  EXPECT_THROW(authors_iteration(random.matrix(3, 2), {1, 2}, {2, 1}, 1, BasisOrder::svd),
               std::invalid_argument);
}

TEST(ReferenceLobpcgTest, KrylovOfFullDimensionIsExact) {
  Random random(11);
  const Matrix<double> j = matrix_with_spectrum(spectrum("geo", 8, 20), 9, random);
  const Iterates found = krylov(j, random.normals(8), 12);
  ASSERT_EQ(found.theta.size(), 13u);
  EXPECT_TRUE(close(found.theta.back() * 400, 1.0, {.factor = 400, .reason = "kappa^2"}));
}

}  // namespace
}  // namespace ebm::reference
