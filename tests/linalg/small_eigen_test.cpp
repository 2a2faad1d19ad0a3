// SPDX-License-Identifier: MIT
// The small eigenproblems of kernels/formulas/small_eigen.h as plain functions: hard spectra, and the
// matrices on which closed forms fail. (On every device they run inside LOBPCG, the Gram matrix and Lanczos.)
#include "kernels/formulas/small_eigen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/launcher.h"
#include "reference/linalg.h"
#include "reference/quadrature.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

using reference::Matrix, reference::Random, reference::Vector, reference::dot, reference::norm,
    reference::multiply, reference::transpose;

/// D x n with singular values from 1/kappa to 1, `graded` if the small ones belong to short columns; as
/// float32 knows it.
Matrix<double> basis_product(int64_t D, int64_t n, double kappa, bool graded, Random& random) {
  Matrix<double> j = reference::random_orthonormal(D, n, random);
  const Vector<double> s = reference::spectrum("geo", n, kappa);
  for (int64_t i = 0; i < n; ++i) j.set_column(i, reference::scale(s[static_cast<size_t>(i)], j.column(i)));
  if (!graded) j = multiply(j, reference::random_orthonormal(n, n, random));
  return reference::rounded_to_float(j);
}
Matrix<double> gram(const Matrix<double>& j) {
  return multiply(transpose(j), j);
}

struct Found {
  Vector<double> values;   // ascending
  Matrix<double> vectors;  // columns
};
Found sorted(const Vector<double>& values, const Matrix<double>& vectors) {
  Found found{.values = {}, .vectors = Matrix<double>(vectors.rows, vectors.cols)};
  for (const int64_t i : reference::order_of(values)) {
    found.vectors.set_column(std::ssize(found.values), vectors.column(i));
    found.values.push_back(values[static_cast<size_t>(i)]);
  }
  return found;
}
Found by_eigen3(const Matrix<double>& a) {
  double g[3][3];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) g[i][j] = a(i, j);
  }
  const Eigen3 e = eigen3(g);
  Matrix<double> vectors(3, 3);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) vectors(i, j) = e.vector[i][j];
  }
  return sorted({e.value, e.value + 3}, vectors);
}
Found by_jacobi(const Matrix<double>& a) {
  const int64_t n = a.rows;
  std::vector<double> left = a.values, vectors(static_cast<size_t>(n * n));
  std::vector<Rotation> rotations(static_cast<size_t>(n + 1));
  jacobi_eigen(cpu::Team{}, n, left.data(), vectors.data(), rotations.data());
  Vector<double> values;
  double size = 0;
  for (int64_t i = 0; i < n; ++i) {
    values.push_back(left[static_cast<size_t>(i * n + i)]);
    size += std::abs(a(i, i));
  }
  for (int64_t i = 0; i < n; ++i) {  // the sweeps were enough
    for (int64_t j = i + 1; j < n; ++j) {
      const double scale =
          std::sqrt(std::abs(values[static_cast<size_t>(i)] * values[static_cast<size_t>(j)]));
      EXPECT_LE(std::abs(left[static_cast<size_t>(i * n + j)]), std::max(1e-20 * size, 1.1e-17 * scale)) << n;
    }
  }
  return sorted(values, transpose(Matrix<double>(n, n, vectors)));
}

void expect_decomposition(const Found& found, const Matrix<double>& a, const std::string& what) {
  const int64_t n = a.rows;
  const Tolerance of_rotations{.factor = 10 + static_cast<double>(n) / 2,
                               .reason = "n rotations a sweep for each element, each rounds"};
  EXPECT_TRUE(close(gram(found.vectors).values, reference::identity(n).values, of_rotations)) << what;
  Matrix<double> rebuilt = transpose(found.vectors);
  for (int64_t i = 0; i < n; ++i)
    rebuilt.set_row(i, reference::scale(found.values[static_cast<size_t>(i)], rebuilt.row(i)));
  EXPECT_TRUE(close(multiply(found.vectors, rebuilt).values, a.values, of_rotations)) << what;
}

/// The smallest singular value and the Rayleigh quotient of its vector, against a method that never forms J^T
/// J.
void expect_smallest(const Found& found, const Matrix<double>& j, double kappa, const std::string& what) {
  const double s = reference::smallest_singular(j).s;
  const double bound = std::max(1e-14, 1e-15 * kappa * kappa);  // 1e-7 at 1e4
  EXPECT_NEAR(std::sqrt(found.values.front()) / s, 1.0, bound) << what;
  EXPECT_NEAR(norm(multiply(j, found.vectors.column(0))) / s, 1.0, std::max(1e-14, 1e-16 * kappa)) << what;
}

TEST(SmallEigenTest, HardSpectra) {
  Random random(1);
  for (const double kappa : {10.0, 1e2, 1e3, 1e4}) {
    for (const bool graded : {false, true}) {
      for (int i = 0; i < 20; ++i) {
        const Matrix<double> j = basis_product(50, 3, kappa, graded, random);
        const std::string what = std::to_string(kappa) + (graded ? " graded" : " mixed");
        const Found found = by_eigen3(gram(j));
        expect_decomposition(found, gram(j), what);
        expect_smallest(found, j, kappa, what);
      }
      for (const int64_t n : {1, 2, 3, 6, 12, 24, 33}) {
        const Matrix<double> j = basis_product(50, n, kappa, graded, random);
        const std::string what =
            std::to_string(kappa) + (graded ? " graded " : " mixed ") + std::to_string(n);
        const Found found = by_jacobi(gram(j));
        expect_decomposition(found, gram(j), what);
        expect_smallest(found, j, kappa, what);
      }
    }
  }
}

TEST(SmallEigenTest, LargeMatrices) {
  Random random(2);
  const Matrix<double> j = basis_product(130, 128, 1e3, false, random);
  const Found found = by_jacobi(gram(j));
  expect_decomposition(found, gram(j), "128");
  expect_smallest(found, j, 1e3, "128");
}

std::vector<Matrix<double>> special(int64_t n) {
  Matrix<double> rank_one(n, n), ones(n, n), masked = reference::identity(n), pairs(n, n), swapped(n, n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      rank_one(i, j) = static_cast<double>((i + 1) * (j + 1));
      ones(i, j) = 1;
    }
    if (i > 0) masked(i, i) = 4;
    pairs(i, i) = static_cast<double>(i / 2);
    swapped(i, n - 1 - i) = 1;  // eigenvalues 1 and -1
  }
  Matrix<double> tiny = ones, huge = rank_one;
  tiny.values = reference::scale(1e-30, tiny.values);
  huge.values = reference::scale(1e36, huge.values);
  return {Matrix<double>(n, n), reference::identity(n), rank_one, ones, masked, pairs, swapped, tiny, huge};
}

TEST(SmallEigenTest, MatricesOnWhichClosedFormsFail) {
  for (const int64_t n : {1, 2, 3, 6, 7, 24}) {
    size_t i = 0;
    for (const Matrix<double>& a : special(n)) {
      const std::string what = std::to_string(n) + " number " + std::to_string(i++);
      std::vector<Found> all{by_jacobi(a)};
      if (n == 3) all.push_back(by_eigen3(a));
      const Vector<double> expected = reference::symmetric_eigen(a).values;
      for (const Found& found : all) {
        expect_decomposition(found, a, what);
        EXPECT_TRUE(close(found.values, expected, {.factor = 10, .reason = "hundreds of rotations"})) << what;
      }
    }
  }
}

TEST(SmallEigenTest, TheExtremeVectorIsTheFirstOfEqualOnes) {
  const auto extreme = [](const Vector<double>& values, double sign) {
    Eigen3 e{};
    for (int i = 0; i < 3; ++i) {
      e.value[i] = values[static_cast<size_t>(i)];
      e.vector[i][i] = 1;
    }
    double c[3];
    extreme_vector(e, sign, c);
    return std::find(c, c + 3, 1.0) - c;
  };
  EXPECT_EQ(extreme({0, 0, 0}, 1), 0);  // J = 0: LOBPCG keeps v
  EXPECT_EQ(extreme({1, 1, 4}, 1), 0);
  EXPECT_EQ(extreme({4, 1, 1}, 1), 1);
  EXPECT_EQ(extreme({3, 2, 1}, 1), 2);
  EXPECT_EQ(extreme({2, 1, 3}, 1), 1);
  EXPECT_EQ(extreme({1, 3, 2}, -1), 1);
  EXPECT_EQ(extreme({1, 2, 3}, -1), 2);
  EXPECT_EQ(extreme({5, 5, 5}, -1), 0);
}

/// Nodes with their weights, by ascending node.
std::vector<std::pair<double, double>> rule(const Vector<double>& diagonal, const Vector<double>& off) {
  Vector<double> node = diagonal, coupling = off, weight(diagonal.size());
  tridiagonal_quadrature(static_cast<int>(std::ssize(node)), node.data(), coupling.data(), weight.data());
  std::vector<std::pair<double, double>> result;
  for (size_t i = 0; i < node.size(); ++i) result.emplace_back(node[i], weight[i]);
  std::sort(result.begin(), result.end());
  return result;
}

void expect_rule(const Vector<double>& diagonal, const Vector<double>& off, const std::string& what) {
  const auto found = rule(diagonal, off);
  const int64_t n = std::ssize(diagonal);
  Matrix<double> t(n, n);
  for (int64_t i = 0; i < n; ++i) {
    t(i, i) = diagonal[static_cast<size_t>(i)];
    if (i + 1 < n) t(i, i + 1) = t(i + 1, i) = off[static_cast<size_t>(i)];
  }
  const reference::Eigen e = reference::symmetric_eigen(t);
  Vector<double> nodes, weights, cumulative, expected;
  for (int64_t i = 0; i < n; ++i) {
    nodes.push_back(found[static_cast<size_t>(i)].first);
    weights.push_back(found[static_cast<size_t>(i)].second);
    expected.push_back(e.vectors(0, i) * e.vectors(0, i));
  }
  const Tolerance of_sweeps{.factor = 10, .reason = "a rotation for each pair, a few times over"};
  EXPECT_TRUE(close(nodes, e.values, of_sweeps)) << what;
  EXPECT_TRUE(close(weights, expected, {.factor = 1000, .reason = "eps over the gap between two nodes"}))
      << what;
  double total = 0;
  for (const double w : weights) total += w;
  EXPECT_TRUE(close(total, 1.0)) << what;
}

TEST(SmallEigenTest, TridiagonalQuadrature) {
  Random random(3);
  for (const int64_t n : {1, 2, 3, 5, 12, 32, 33}) {
    for (int i = 0; i < 5; ++i) {
      Vector<double> diagonal = random.normals(n), off = random.normals(n);
      expect_rule(diagonal, off, "random " + std::to_string(n));
      if (n > 2) off[static_cast<size_t>(n / 2)] = 0;
      expect_rule(diagonal, off, "two blocks " + std::to_string(n));
      for (const double factor : {1e-50, 1e36})
        expect_rule(reference::scale(factor, diagonal), reference::scale(factor, off), "scaled");
      double grade = 1;
      for (size_t k = 0; k < diagonal.size(); ++k, grade /= 4) {
        diagonal[k] = grade * (1 + std::abs(diagonal[k]));
        off[k] *= 0.1 * grade;
      }
      expect_rule(diagonal, off, "graded " + std::to_string(n));
    }
    const Vector<double> ones(static_cast<size_t>(n), 1.0), zeros(static_cast<size_t>(n), 0.0);
    expect_rule(zeros, ones, "zero diagonal " + std::to_string(n));
    const auto equal = rule(ones, zeros);
    for (const auto& [node, weight] : equal) EXPECT_EQ(node, 1.0);
  }
}

TEST(SmallEigenTest, QuadratureOfPowersIsThatOfTheMatrix) {  // sum_i y_i t_i^k = (T^k)_11
  Random random(4);
  const int64_t n = 8;
  Vector<double> diagonal, off = random.uniforms(n);
  for (const double x : random.uniforms(n)) diagonal.push_back(2.5 + x);
  Matrix<double> t(n, n), power = reference::identity(n);
  for (int64_t i = 0; i < n; ++i) {
    t(i, i) = diagonal[static_cast<size_t>(i)];
    if (i + 1 < n) t(i, i + 1) = t(i + 1, i) = off[static_cast<size_t>(i)];
  }
  const auto found = rule(diagonal, off);
  for (int k = 0; k <= 15; ++k, power = multiply(power, t)) {
    double sum = 0;
    for (const auto& [node, weight] : found) sum += weight * std::pow(node, k);
    EXPECT_TRUE(close(sum, power(0, 0), {.factor = 10, .reason = "powers up to 15"})) << k;
  }
  double inverse = 0;
  for (const auto& [node, weight] : found) inverse += weight / node;
  Vector<double> e1(static_cast<size_t>(n), 0.0);
  e1[0] = 1;
  EXPECT_TRUE(close(inverse, reference::solve_spd(t, e1)[0]));
}

}  // namespace
}  // namespace ebm::test
