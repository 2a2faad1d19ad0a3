// SPDX-License-Identifier: MIT
// Squared distances |x_i - c_j|^2 of many points from a few centres, in float64, for those pairs alone that
// matter. Matrix products on the device, in float32, of what is left of points and centres when the points'
// mean m is taken off, give an estimate of all:
//
//   e_ij = |x_i - m|^2 - 2 (x_i - m) . (c_j - m) + |c_j - m|^2
//
// which is off by no more than (D / 2 + 4) 2^-24 (|x_i - m| + |c_j - m|)^2, whatever the order in which the
// device sums. What that leaves open is computed in float64 as a sum of squares. So an answer is the one of
// float64, on every device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/memory.h"
#include "kernels/kernels.h"
#include "metrics/feature_rows.h"

namespace ebm {

/// sum_k (x_k - centre_k)^2, in an order of the length alone.
double squared_distance(std::span<const float> x, std::span<const double> centre);

class CentreDistances {
 public:
  /// From at most `centres` centres at a time. `kernels` and the numbers of `points` must outlive it.
  CentreDistances(Kernels& kernels, const FeatureRows& points, int64_t centres);

  const FeatureRows& points() const { return points_; }

  /// Takes centres (k, D): one pass over the points on the device.
  void measure(std::vector<double> centres);
  /// Of each point the nearest of centres first, first + 1, ... , `count` of them, as a number from 0 on; the
  /// first where several are.
  std::vector<int64_t> nearest(size_t first, size_t count) const;
  /// min(bound_i, |x_i - c_j|^2) of all points i.
  std::vector<double> at_most(std::span<const double> bounds, size_t j) const;

 private:
  struct Interval {
    double low, high;
  };
  Interval interval(size_t i, size_t j) const;
  double exact(size_t i, size_t j) const;
  size_t nearest_of(size_t i, std::span<const size_t> centres) const;

  Kernels& kernels_;
  FeatureRows points_;
  std::vector<double> mean_, lengths_;            // m; |x_i - m|
  std::vector<double> centres_, centre_lengths_;  // (k, D); |c_j - m|
  Buffer<float> centred_points_, centred_, products_;
  std::vector<float> found_;  // (N, k), the products
};

}  // namespace ebm
