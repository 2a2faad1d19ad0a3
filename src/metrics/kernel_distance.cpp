// SPDX-License-Identifier: MIT
#include "metrics/kernel_distance.h"

#include <string>
#include <vector>

#include "core/error.h"
#include "metrics/row_pairs.h"

namespace ebm {

namespace {

double kernel(double product, int64_t dim) {
  const double base = product / static_cast<double>(dim) + 1;
  return base * base * base;
}

/// sum_{i != j} k(x_i, x_j) / (m (m - 1)).
double within(const FeatureRows& x) {
  const size_t m = static_cast<size_t>(x.count());
  std::vector<double> products(m * m);
  symmetric_row_products(x.values, x.dim, products);
  double sum = 0;
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < m; ++j) sum += i == j ? 0 : kernel(products[i * m + j], x.dim);
  }
  return sum / (static_cast<double>(m) * static_cast<double>(m - 1));
}

/// sum_{i, j} k(x_i, y_j) / m^2.
double between(const FeatureRows& x, const FeatureRows& y) {
  std::vector<double> products(static_cast<size_t>(x.count() * y.count()));
  row_products(x.values, y.values, x.dim, products);
  double sum = 0;
  for (const double product : products) sum += kernel(product, x.dim);
  return sum / static_cast<double>(products.size());
}

double checked_mmd2(const FeatureRows& x, const FeatureRows& y) {
  return within(x) + within(y) - 2 * between(x, y);
}

void check(const FeatureRows& x, const FeatureRows& y, int64_t at_least) {
  check_rows("kernel distance, first features", x, at_least);
  check_rows("kernel distance, second features", y, at_least);
  check_same_length(x, y);
}

/// The next `count` rows of x, drawn without replacement.
std::vector<float> subset(const FeatureRows& x, int64_t count, NumpyRandom& random) {
  std::vector<int64_t> order = random.permutation(x.count());
  order.resize(static_cast<size_t>(count));
  std::vector<float> rows;
  rows.reserve(static_cast<size_t>(count * x.dim));
  for (const int64_t i : order) rows.insert(rows.end(), x.row(i).begin(), x.row(i).end());
  return rows;
}

}  // namespace

double polynomial_mmd2(const FeatureRows& x, const FeatureRows& y) {
  check(x, y, 2);
  if (x.count() != y.count())
    throw Error("kernel distance: " + std::to_string(x.count()) + " and " + std::to_string(y.count()) +
                " samples; give as many of each");
  return checked_mmd2(x, y);
}

MeanAndDeviation kernel_distance(const FeatureRows& x, const FeatureRows& y,
                                 const KernelDistanceOptions& options) {
  const int64_t size = options.subset_size;
  if (options.subsets < 1 || size < 2)
    throw Error("kernel distance: " + std::to_string(options.subsets) + " subsets of " +
                std::to_string(size) + " samples; take at least 1 of 2");
  check(x, y, size);
  NumpyRandom random(options.seed);
  std::vector<double> each;
  for (int64_t s = 0; s < options.subsets; ++s) {
    const std::vector<float> of_x = subset(x, size, random);
    const std::vector<float> of_y = subset(y, size, random);
    each.push_back(checked_mmd2({of_x, x.dim}, {of_y, y.dim}));
    if (options.told) options.told(s + 1);
  }
  return mean_and_deviation(each);
}

}  // namespace ebm
