// SPDX-License-Identifier: MIT
#include "reference/linalg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

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
void expect_orthonormal(const Matrix<double>& q) {
  EXPECT_TRUE(close(multiply(transpose(q), q).values, identity(q.cols).values,
                    {.factor = 10, .reason = "hundreds of rotations, each rounds"}));
}
V relative_errors(const V& actual, const V& expected) {
  V result;
  for (size_t i = 0; i < actual.size(); ++i) result.push_back(actual[i] / expected[i]);
  return result;
}

TEST(ReferenceLinalgTest, ProductsByHand) {
  const Matrix<double> a{2, 3, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(multiply(a, V{1, 0, -1}), (V{-2, -2}));
  EXPECT_EQ(multiply(a, transpose(a)).values, (V{14, 32, 32, 77}));
  EXPECT_EQ(dot(V{1, 2}, V{3, 4}), 11);
  EXPECT_EQ(norm(V{3, 4}), 5);
  EXPECT_EQ(combine(2.0, V{1, 2}, -1.0, V{5, 5}), (V{-3, -1}));
  EXPECT_EQ(mean(V{1, 2, 6}), 3);
  EXPECT_THROW(multiply(a, V{1, 2}), std::invalid_argument);
  EXPECT_THROW((Matrix<double>{2, 2, {1, 2, 3}}), std::invalid_argument);
}

TEST(ReferenceLinalgTest, SymmetricEigenByHand) {
  const Eigen two = symmetric_eigen({2, 2, {2, 1, 1, 2}});
  EXPECT_TRUE(close(two.values, V{1, 3}));
  EXPECT_TRUE(close(std::abs(two.vectors(0, 0) - two.vectors(1, 0)), std::sqrt(2.0)));
  // the second-difference matrix: 2 - 2 cos(k pi / (n + 1))
  Matrix<double> path(7, 7);
  V expected;
  for (int64_t i = 0; i < 7; ++i) {
    path(i, i) = 2;
    if (i > 0) path(i, i - 1) = path(i - 1, i) = -1;
    expected.push_back(2 - 2 * std::cos((i + 1) * std::numbers::pi / 8));
  }
  EXPECT_TRUE(close(symmetric_eigen(path).values, expected));
}

TEST(ReferenceLinalgTest, SymmetricEigenOfSpecialMatrices) {
  EXPECT_EQ(symmetric_eigen(Matrix<double>(3, 3)).values, (V{0, 0, 0}));
  EXPECT_EQ(symmetric_eigen(identity(3)).values, (V{1, 1, 1}));
  EXPECT_EQ(symmetric_eigen(diagonal({3, -1, 2})).values, (V{-1, 2, 3}));
  EXPECT_TRUE(close(symmetric_eigen({3, 3, V(9, 1.0)}).values, V{0, 0, 3}));
  EXPECT_TRUE(close(symmetric_eigen({2, 2, {0, 1, 1, 0}}).values, V{-1, 1}));
}

TEST(ReferenceLinalgTest, SymmetricEigenRebuildsTheMatrix) {
  Random random(1);
  Matrix<double> a = random.matrix(12, 12);
  for (int64_t i = 0; i < 12; ++i)
    for (int64_t j = 0; j < i; ++j) a(i, j) = a(j, i);
  const Eigen e = symmetric_eigen(a);
  expect_orthonormal(e.vectors);
  EXPECT_TRUE(std::is_sorted(e.values.begin(), e.values.end()));
  EXPECT_TRUE(close(multiply(multiply(e.vectors, diagonal(e.values)), transpose(e.vectors)).values, a.values,
                    {.factor = 4, .reason = "12 x 12, several sweeps"}));
}

TEST(ReferenceLinalgTest, SvdFindsSmallValuesToRelativeAccuracy) {
  Random random(2);
  for (const std::string name : {"lin", "geo", "clusterlow", "isolated", "clustertop"})
    for (const int64_t D : {20, 33}) {
      const V s = spectrum(name, 20, 1e4);
      const Svd found = svd(matrix_with_spectrum(s, D, random));
      EXPECT_TRUE(close(relative_errors(found.values, s), V(20, 1.0),
                        {.factor = 1e4, .reason = "the matrix itself is rounded: eps * kappa"}))
          << name << " " << D;
      expect_orthonormal(found.v);
      expect_orthonormal(found.u);
    }
}

TEST(ReferenceLinalgTest, SvdOfDegenerateMatrices) {
  EXPECT_EQ(svd(Matrix<double>(4, 3)).values, (V{0, 0, 0}));
  expect_orthonormal(svd(Matrix<double>(4, 3)).v);
  // D < d: one value of the row, the rest zero
  const Svd wide = svd({1, 3, {1, 2, 2}});
  EXPECT_TRUE(close(wide.values, V{0, 0, 3}));
  expect_orthonormal(wide.v);
  // columns equal: s = 0 and sqrt(2) * ||column||, v = (1, -1)/sqrt(2)
  const Smallest twin = smallest_singular({2, 2, {3, 3, 4, 4}});
  EXPECT_TRUE(close(twin.s + 1.0, 1.0));
  EXPECT_TRUE(close(std::abs(twin.v[0] - twin.v[1]), std::sqrt(2.0)));
}

TEST(ReferenceLinalgTest, SmallestSingularVector) {
  Random random(3);
  const Matrix<double> j = matrix_with_spectrum(spectrum("isolated", 10, 1e4), 15, random);
  const Smallest found = smallest_singular(j);
  EXPECT_TRUE(close(found.s * 1e4, 1.0, {.factor = 1e4, .reason = "eps * kappa"}));
  EXPECT_TRUE(close(norm(found.v), 1.0));
  EXPECT_TRUE(close(norm(multiply(j, found.v)) * 1e4, 1.0, {.factor = 1e4, .reason = "eps * kappa"}));
  EXPECT_GT(*std::max_element(found.v.begin(), found.v.end(),
                              [](double a, double b) { return std::abs(a) < std::abs(b); }),
            0.0);
}

TEST(ReferenceLinalgTest, CholeskyAndSolves) {
  const Matrix<double> a{2, 2, {4, 2, 2, 10}};
  EXPECT_EQ(cholesky(a).values, (V{2, 0, 1, 3}));
  EXPECT_TRUE(close(log_det_spd(a), std::log(36.0)));
  EXPECT_TRUE(close(solve_spd(a, {8, 22}), V{1, 2}));
  EXPECT_EQ(solve_lower(cholesky(a), {2, 7}), (V{1, 2}));
  EXPECT_EQ(solve_lower_transposed(cholesky(a), {4, 6}), (V{1, 2}));
  EXPECT_THROW(cholesky(Matrix<double>{2, 2, {1, 2, 2, 1}}), std::domain_error);
  EXPECT_THROW(cholesky(Matrix<double>{1, 1, {std::nan("")}}), std::domain_error);
}

TEST(ReferenceLinalgTest, LogDetDerivativeIsTheTraceOfTheInverse) {
  // d log det(A + t I)/dt at 0 = tr A^-1 = (4 + 10)/36
  Matrix<Dual<double>> a{2, 2, {4, 2, 2, 10}};
  a(0, 0).derivative = a(1, 1).derivative = 1.0;
  EXPECT_TRUE(close(log_det_spd(a).derivative, 14.0 / 36));
}

TEST(ReferenceLinalgTest, Orthonormalise) {
  EXPECT_TRUE(orthonormalise({0, 0}, {}).empty());
  EXPECT_TRUE(orthonormalise({3, 0}, {{1, 0}}).empty());
  EXPECT_TRUE(close(orthonormalise({3, 1e-12}, {{1, 0}}), V{0, 1}));
  Random random(4);
  const Matrix<double> q = random_orthonormal(9, 9, random);
  expect_orthonormal(q);
  std::vector<V> basis;
  for (int64_t i = 0; i < 9; ++i) basis.push_back(q.column(i));
  EXPECT_TRUE(orthonormalise(random.normals(9), basis).empty());
}

TEST(ReferenceLinalgTest, SpectraAreWhatTheirNamesSay) {
  const double kappa = 100;
  for (const std::string name : {"lin", "geo", "clusterlow", "isolated", "clustertop"}) {
    const V s = spectrum(name, 128, kappa);
    ASSERT_EQ(s.size(), 128u) << name;
    EXPECT_TRUE(std::is_sorted(s.begin(), s.end())) << name;
    EXPECT_TRUE(close(s.front(), 1 / kappa)) << name;
    EXPECT_TRUE(close(s.back(), 1.0)) << name;
  }
  EXPECT_TRUE(close(spectrum("clusterlow", 128, kappa)[7], 1.001 / kappa));
  EXPECT_TRUE(close(spectrum("clusterlow", 128, kappa)[8], 1.5 / kappa));
  EXPECT_TRUE(close(spectrum("isolated", 128, kappa)[1], 0.5));
  EXPECT_TRUE(close(spectrum("clustertop", 128, kappa)[119], 2 / kappa));
  EXPECT_EQ(spectrum("clustertop", 128, kappa)[120], 1.0);
  EXPECT_TRUE(close(spectrum("geo", 3, kappa)[1], 0.1));
  EXPECT_TRUE(close(spectrum("lin", 3, kappa)[1], 0.505));
  EXPECT_THROW(spectrum("flat", 3, kappa), std::invalid_argument);
}

}  // namespace
}  // namespace ebm::reference
