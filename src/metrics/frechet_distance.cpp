// SPDX-License-Identifier: MIT
#include "metrics/frechet_distance.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "metrics/row_pairs.h"

namespace ebm {

namespace {

/// Of a symmetric matrix, eigenvalues ascending; vectors, where they were asked for, one after another.
struct Eigen {
  std::vector<double> values;
  std::vector<double> vectors;
};

enum class Wanted { values, vectors };

Eigen symmetric_eigen(std::vector<double> matrix, size_t n, Wanted wanted) {
  Eigen eigen{std::vector<double>(n), {}};
  const lapack_int order = static_cast<lapack_int>(n);
  // By columns, which leaves each vector in one piece; the matrix is the same by rows.
  const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, wanted == Wanted::vectors ? 'V' : 'N', 'L', order,
                                         matrix.data(), order, eigen.values.data());
  if (info != 0)
    throw Error("Frechet distance: LAPACK's dsyevd of a " + std::to_string(n) + " x " + std::to_string(n) +
                " matrix ended with " + std::to_string(info));
  const double top = eigen.values.back(), least = eigen.values.front();
  if (!(least >= -1e-6 * std::max(top, 0.0)))
    throw Error("Frechet distance: a covariance has eigenvalues from " + std::to_string(least) + " to " +
                std::to_string(top) + ", so it is none; give one of at least two samples");
  if (wanted == Wanted::vectors) eigen.vectors = std::move(matrix);
  return eigen;
}

/// The first eigenvalue that is not zero to rounding.
size_t first_positive(const std::vector<double>& ascending) {
  const double bound = static_cast<double>(ascending.size()) * std::numeric_limits<double>::epsilon() *
                       std::max(ascending.back(), 0.0);
  return static_cast<size_t>(std::upper_bound(ascending.begin(), ascending.end(), bound) - ascending.begin());
}

/// W = L^(1/2) U^T without the directions in which C = U L U^T is zero: (rank, D).
std::vector<double> factor(const std::vector<double>& covariance, size_t dim) {
  const Eigen eigen = symmetric_eigen(covariance, dim, Wanted::vectors);
  const size_t first = first_positive(eigen.values);
  std::vector<double> w(eigen.vectors.begin() + static_cast<std::ptrdiff_t>(first * dim),
                        eigen.vectors.end());
  for (size_t i = 0; i < w.size(); ++i) w[i] *= std::sqrt(eigen.values[first + i / dim]);
  return w;
}

/// tr (C_1 C_2)^(1/2).
double trace_of_root(const std::vector<double>& first, const std::vector<double>& second, size_t dim) {
  using Values = std::span<const double>;
  const std::vector<double> w = factor(first, dim);
  const size_t rank = w.size() / dim;
  if (rank == 0) return 0;
  const int64_t depth = static_cast<int64_t>(dim);
  std::vector<double> w_second(rank * dim), product(rank * rank);
  row_products(Values(w), Values(second), depth, w_second);
  row_products(Values(w_second), Values(w), depth, product);
  const std::vector<double> values = symmetric_eigen(std::move(product), rank, Wanted::values).values;
  double sum = 0;
  for (size_t i = first_positive(values); i < values.size(); ++i) sum += std::sqrt(values[i]);
  return sum;
}

double trace(const std::vector<double>& matrix, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += matrix[i * dim + i];
  return sum;
}

void check(const Moments& m, size_t dim) {
  if (dim == 0 || m.mean.size() != dim || m.covariance.size() != dim * dim)
    throw Error("Frechet distance: a mean of " + std::to_string(m.mean.size()) +
                " numbers and a covariance of " + std::to_string(m.covariance.size()) +
                " do not fit to features of " + std::to_string(dim));
  const auto finite = [](double x) { return std::isfinite(x); };
  if (!std::all_of(m.mean.begin(), m.mean.end(), finite) ||
      !std::all_of(m.covariance.begin(), m.covariance.end(), finite))
    throw Error("Frechet distance: a mean or covariance is not finite; look at the features");
}

}  // namespace

double frechet_distance(const Moments& first, const Moments& second) {
  const size_t dim = first.mean.size();
  check(first, dim);
  check(second, dim);
  double distance = 0;
  for (size_t k = 0; k < dim; ++k) {
    distance += (first.mean[k] - second.mean[k]) * (first.mean[k] - second.mean[k]);
  }
  return distance + trace(first.covariance, dim) + trace(second.covariance, dim) -
         2 * trace_of_root(first.covariance, second.covariance, dim);
}

}  // namespace ebm
