// SPDX-License-Identifier: MIT
// Precision and recall of distributions (Sajjadi et al. 2018, arXiv:1806.00035), as prd_score.py computes
// them and the authors' code copies them (score/F_beta.py). Features of real and of generated samples,
// equally many, are clustered together; r_c and g_c are the shares of the real and of the generated ones in
// cluster c. For the slopes tan(angle) of 1001 angles, evenly spaced from 1e-10 to pi/2 - 1e-10:
//
//   precision = sum_c min(slope r_c, g_c)          recall = precision / slope
//
// The curves are averaged over 10 clusterings into 20 clusters. One number for each, the largest over the
// curve of
//
//   F_b = (1 + b^2) p r / (b^2 p + r + 1e-10):     F_8 weighs recall, F_1/8 precision
//
// Unlike prd_score.py, whose MiniBatchKMeans settles on few small batches, the clusters are those of k-means
// proper (k_means.h). In float64.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "metrics/feature_rows.h"
#include "metrics/k_means.h"

namespace ebm {

struct PrecisionRecall {
  std::vector<double> precision;  // of each angle, ascending slopes
  std::vector<double> recall;
};

struct PrecisionRecallOptions {
  KMeansOptions k_means = {};
  int64_t angles = 1001;
  int64_t runs = 10;
  uint64_t seed = 0;
  std::function<void(int64_t done)> told = {};  // clusterings; also within one. May throw to end it
};

/// The share of labels in each of `clusters`. Throws Error when there is no label or one is not 0 ...
/// clusters - 1.
std::vector<double> cluster_shares(std::span<const int64_t> labels, int64_t clusters);

/// The curve of two histograms. Throws Error unless both have the same length and are shares that add up to 1
/// within 1e-6, and angles is 3 to 10^6.
PrecisionRecall precision_recall_curve(std::span<const double> real, std::span<const double> generated,
                                       int64_t angles = 1001);

/// The curve averaged over clusterings of the features. Throws Error as above, as k_means does, and unless
/// there are equally many of both.
PrecisionRecall precision_recall(Kernels& kernels, const FeatureRows& real, const FeatureRows& generated,
                                 const PrecisionRecallOptions& options = {});

/// The largest F_beta of a curve. Throws Error when beta is not above 0 or the curve is empty or not within
/// [0, 1].
double largest_f_score(const PrecisionRecall& curve, double beta);

}  // namespace ebm
