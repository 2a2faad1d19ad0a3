// SPDX-License-Identifier: MIT
#include "metrics/moments.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "metrics/row_pairs.h"

namespace ebm {

namespace {

constexpr int64_t chunk_rows = 512;

size_t squared(int64_t dim) {
  if (dim < 1) throw Error("moments of features of " + std::to_string(dim) + " numbers: take at least 1");
  return static_cast<size_t>(dim * dim);
}

std::vector<double> mean_of(const FeatureRows& rows) {
  std::vector<double> mean(static_cast<size_t>(rows.dim));
  for (int64_t i = 0; i < rows.count(); ++i) {
    const std::span<const float> row = rows.row(i);
    for (size_t k = 0; k < mean.size(); ++k) mean[k] += row[k];
  }
  for (double& x : mean) x /= static_cast<double>(rows.count());
  return mean;
}

/// x_i - mean, transposed: (D, n).
std::vector<double> centred(const FeatureRows& rows, std::span<const double> mean) {
  const int64_t n = rows.count();
  std::vector<double> columns(rows.values.size());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < rows.dim; ++k) {
      columns[static_cast<size_t>(k * n + i)] =
          rows.row(i)[static_cast<size_t>(k)] - mean[static_cast<size_t>(k)];
    }
  }
  return columns;
}

}  // namespace

MomentAccumulator::MomentAccumulator(int64_t dim)
    : dim_(dim),
      mean_(squared(dim) / static_cast<size_t>(dim)),
      squares_(squared(dim)),
      chunk_(squared(dim)) {}

void MomentAccumulator::add(const FeatureRows& rows) {
  if (rows.dim != dim_)
    throw Error("moments: features of " + std::to_string(rows.dim) + " numbers, after " +
                std::to_string(dim_));
  check_rows("moments, features", rows, 0);
  for (int64_t first = 0; first < rows.count(); first += chunk_rows) {
    const int64_t n = std::min(chunk_rows, rows.count() - first);
    add_chunk({rows.values.subspan(static_cast<size_t>(first * dim_), static_cast<size_t>(n * dim_)), dim_});
  }
}

void MomentAccumulator::add_chunk(const FeatureRows& rows) {
  const std::vector<double> mean = mean_of(rows);
  const std::vector<double> columns = centred(rows, mean);
  symmetric_row_products(std::span<const double>(columns), rows.count(), chunk_);

  const double before = static_cast<double>(count_), n = static_cast<double>(rows.count()),
               after = before + n;
  std::vector<double> step(mean_.size());
  for (size_t k = 0; k < step.size(); ++k) step[k] = mean[k] - mean_[k];
  for (size_t i = 0; i < step.size(); ++i) {
    const double weighted = before * n / after * step[i];
    const size_t row = i * step.size();
    for (size_t j = 0; j < step.size(); ++j) squares_[row + j] += chunk_[row + j] + weighted * step[j];
  }
  for (size_t k = 0; k < step.size(); ++k) mean_[k] += n / after * step[k];
  count_ += rows.count();
}

Moments MomentAccumulator::moments() const {
  if (count_ < 2) throw Error("moments of " + std::to_string(count_) + " samples; give at least 2");
  Moments result{mean_, squares_};
  for (double& x : result.covariance) x /= static_cast<double>(count_ - 1);
  return result;
}

}  // namespace ebm
