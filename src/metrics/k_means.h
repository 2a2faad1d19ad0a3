// SPDX-License-Identifier: MIT
// k-means: centres c_1 ... c_k that make the inertia sum_i min_c |x_i - c|^2 small, in float64.
//
// A start is k-means++ (Arthur and Vassilvitskii 2007) in its greedy form: each further centre is the best of
// 2 + [ln k] points drawn with probability proportional to the squared distance from the nearest centre so
// far. Lloyd's iterations follow until no label changes or the centres move, in sum of squares, by no more
// than `tolerance` of the mean variance of a feature. A cluster that has lost all its points takes the point
// that is farthest from its centre. The best of `restarts` starts counts. Starts, greedy form and stopping
// rule are scikit-learn's KMeans (n_init = restarts, tol = tolerance). The device does most of the work and decides
// nothing (centre_distances.h): all devices give the same clustering.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "kernels/kernels.h"
#include "metrics/feature_rows.h"

namespace ebm {

struct KMeansOptions {
  int64_t clusters = 20;
  int64_t restarts = 10;
  int64_t iterations = 300;
  double tolerance = 1e-4;
  std::function<void()> told = {};  // before each pass over the points; may throw to end it
};

struct Clustering {
  std::vector<int64_t> labels;  // (N), 0 ... clusters - 1: the nearest centre
  std::vector<double> centres;  // (clusters, D)
  double inertia = 0;
};

/// Lloyd's iterations from given centres (clusters, D): at most `iterations`, until no label changes or the
/// sum of the centres' squared moves is at most `least_move`. Throws Error when the points or centres are no
/// whole rows, a point is not finite, or there are fewer points than clusters.
Clustering lloyd(Kernels& kernels, const FeatureRows& points, std::vector<double> centres, int64_t iterations,
                 double least_move);

/// The best of several starts. Draws from `random` alone, so the same seed gives the same clustering. Throws
/// Error when an option is below 1 (a tolerance below 0), a number is not finite, or there are fewer
/// different points than clusters.
Clustering k_means(Kernels& kernels, const FeatureRows& points, const KMeansOptions& options,
                   std::mt19937_64& random);

}  // namespace ebm
