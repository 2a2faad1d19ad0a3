// SPDX-License-Identifier: MIT
// The kernel inception distance (Binkowski et al. 2018, arXiv:1801.01401) by torch-fidelity's protocol
// (metric_kid.py): MMD^2 with the kernel k(x, y) = (x . y / D + 1)^3, unbiased, over subsets of m samples
// each of x and of y:
//
//   MMD^2 =   sum_{i != j} k(x_i, x_j) / (m (m - 1)) + sum_{i != j} k(y_i, y_j) / (m (m - 1))
//           - 2 sum_{i, j} k(x_i, y_j) / m^2
//
// mean and std over 100 subsets of 1000. The subsets are torch-fidelity's own for its seed 2020: for each,
// the first m of NumpyRandom's next permutation of x's samples, then of y's (numpy_random.h). In float64,
// where torch-fidelity multiplies float32 features in float32.
#pragma once

#include <cstdint>
#include <functional>

#include "metrics/feature_rows.h"
#include "metrics/numpy_random.h"
#include "metrics/spread.h"

namespace ebm {

/// MMD^2 of all of x and y; it may be below zero. Throws Error unless both have the same number of samples,
/// at least 2, of features of one length, all finite.
double polynomial_mmd2(const FeatureRows& x, const FeatureRows& y);

struct KernelDistanceOptions {
  int64_t subsets = 100;
  int64_t subset_size = 1000;
  uint32_t seed = fidelity_seed;
  std::function<void(int64_t done)> told = {};  // after each subset; may throw to end it
};

/// mean and std of MMD^2 over subsets. Throws Error as above, and when x or y has fewer samples than a
/// subset.
MeanAndDeviation kernel_distance(const FeatureRows& x, const FeatureRows& y,
                                 const KernelDistanceOptions& options = {});

}  // namespace ebm
