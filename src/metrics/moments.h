// SPDX-License-Identifier: MIT
// Mean and covariance of features that never all lie in memory, in float64 (D = 2048: three matrices of 32
// MiB).
//
//   mean = 1/N sum_i x_i      covariance = 1/(N - 1) sum_i (x_i - mean)(x_i - mean)^T      (np.cov)
//
// Rows are taken a chunk at a time; a chunk's sum of squares about its own mean is joined to what was there
// by Chan, Golub and LeVeque's formula (1983), so that nothing cancels, however far from the origin features
// lie:
//
//   S <- S + S_chunk + (N n / (N + n)) (mean_chunk - mean)(mean_chunk - mean)^T
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/feature_rows.h"

namespace ebm {

struct Moments {
  std::vector<double> mean;        // (D)
  std::vector<double> covariance;  // (D, D), symmetric
};

class MomentAccumulator {
 public:
  /// Throws Error unless dim >= 1.
  explicit MomentAccumulator(int64_t dim);

  /// Takes in more rows, any number of them. Throws Error, and takes in none, when they are not of `dim`
  /// finite numbers.
  void add(const FeatureRows& rows);

  [[nodiscard]] int64_t count() const { return count_; }

  /// Of all rows so far. Throws Error when there are fewer than two.
  [[nodiscard]] Moments moments() const;

 private:
  void add_chunk(const FeatureRows& rows);

  int64_t dim_;
  int64_t count_ = 0;
  std::vector<double> mean_;     // (D)
  std::vector<double> squares_;  // (D, D)
  std::vector<double> chunk_;    // (D, D), of one chunk
};

}  // namespace ebm
