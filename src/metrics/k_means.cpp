// SPDX-License-Identifier: MIT
#include "metrics/k_means.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/error.h"
#include "metrics/row_pairs.h"

namespace ebm {

namespace {

constexpr int64_t block_rows = 1024;  // whose distances from all centres are in memory at a time

/// Uniform in [0, 1), the same on every machine.
double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

/// Calls visit(i, distances of point i from all centres).
template <class Visit>
void each_distance(const FeatureRows& points, std::span<const double> centres, const Visit& visit) {
  const size_t k = centres.size() / static_cast<size_t>(points.dim);
  std::vector<double> distances(static_cast<size_t>(block_rows) * k);
  for (int64_t first = 0; first < points.count(); first += block_rows) {
    const int64_t n = std::min(block_rows, points.count() - first);
    const auto block =
        points.values.subspan(static_cast<size_t>(first * points.dim), static_cast<size_t>(n * points.dim));
    const std::span<double> of_block = std::span(distances).first(static_cast<size_t>(n) * k);
    row_squared_distances(block, centres, points.dim, of_block);
    for (int64_t i = 0; i < n; ++i) visit(first + i, of_block.subspan(static_cast<size_t>(i) * k, k));
  }
}

void append(std::vector<double>& centres, std::span<const float> row) {
  centres.insert(centres.end(), row.begin(), row.end());
}

/// The index that a uniform number u in [0, 1) falls on when i has the share weights_i of the total.
int64_t drawn(std::span<const double> weights, double total, double u) {
  double rest = u * total;
  int64_t last = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] > 0)) continue;
    last = static_cast<int64_t>(i);
    rest -= weights[i];
    if (rest < 0) break;
  }
  return last;
}

double sum_of(std::span<const double> x) {
  double sum = 0;
  for (const double value : x) sum += value;
  return sum;
}

/// The best of some points drawn far from the centres so far: the one that leaves the smallest sum in
/// `nearest`, the squared distances from the nearest centre, which it joins.
int64_t next_centre(const FeatureRows& points, int64_t trials, std::vector<double>& nearest,
                    std::mt19937_64& random) {
  const double total = sum_of(nearest);
  if (!(total > 0))
    throw Error("k-means: fewer different points than clusters; take fewer clusters or more samples");
  std::vector<int64_t> candidates;
  std::vector<double> rows;
  for (int64_t t = 0; t < trials; ++t) {
    candidates.push_back(drawn(nearest, total, uniform(random)));
    append(rows, points.row(candidates.back()));
  }
  std::vector<std::vector<double>> left(static_cast<size_t>(trials), nearest);
  each_distance(points, rows, [&](int64_t i, std::span<const double> distances) {
    for (size_t t = 0; t < left.size(); ++t) {
      double& least = left[t][static_cast<size_t>(i)];
      least = std::min(least, distances[t]);
    }
  });
  size_t best = 0;
  for (size_t t = 1; t < left.size(); ++t) {
    if (sum_of(left[t]) < sum_of(left[best])) best = t;
  }
  nearest = std::move(left[best]);
  return candidates[best];
}

std::vector<double> first_centres(const FeatureRows& points, int64_t clusters, std::mt19937_64& random) {
  const int64_t trials = 2 + static_cast<int64_t>(std::log(static_cast<double>(clusters)));
  std::vector<double> centres;
  append(centres, points.row(static_cast<int64_t>(uniform(random) * static_cast<double>(points.count()))));
  std::vector<double> nearest(static_cast<size_t>(points.count()));
  each_distance(points, centres,
                [&](int64_t i, std::span<const double> d) { nearest[static_cast<size_t>(i)] = d[0]; });
  for (int64_t c = 1; c < clusters; ++c)
    append(centres, points.row(next_centre(points, trials, nearest, random)));
  return centres;
}

/// Each point's nearest centre and its squared distance.
struct Assignment {
  std::vector<int64_t> labels;
  std::vector<double> distances;
};

Assignment assign(const FeatureRows& points, std::span<const double> centres) {
  Assignment a{std::vector<int64_t>(static_cast<size_t>(points.count())),
               std::vector<double>(static_cast<size_t>(points.count()))};
  each_distance(points, centres, [&](int64_t i, std::span<const double> d) {
    const auto nearest = std::min_element(d.begin(), d.end());
    a.labels[static_cast<size_t>(i)] = nearest - d.begin();
    a.distances[static_cast<size_t>(i)] = *nearest;
  });
  return a;
}

/// Gives each cluster without points the farthest point of a cluster that has others.
void fill_empty(Assignment& a, std::vector<int64_t>& counts) {
  for (size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] != 0) continue;
    std::optional<size_t> farthest;
    for (size_t i = 0; i < a.labels.size(); ++i) {
      if (counts[static_cast<size_t>(a.labels[i])] > 1 &&
          (!farthest || a.distances[i] > a.distances[*farthest]))
        farthest = i;
    }
    if (!farthest) throw Error("k-means: fewer points than clusters");
    --counts[static_cast<size_t>(a.labels[*farthest])];
    ++counts[c];
    a.labels[*farthest] = static_cast<int64_t>(c);
    a.distances[*farthest] = 0;
  }
}

/// The mean of each cluster's points.
std::vector<double> means(const FeatureRows& points, Assignment a, int64_t clusters) {
  const size_t dim = static_cast<size_t>(points.dim);
  std::vector<int64_t> counts(static_cast<size_t>(clusters));
  for (const int64_t label : a.labels) ++counts[static_cast<size_t>(label)];
  fill_empty(a, counts);
  std::vector<double> centres(static_cast<size_t>(clusters) * dim);
  for (int64_t i = 0; i < points.count(); ++i) {
    double* centre = &centres[static_cast<size_t>(a.labels[static_cast<size_t>(i)]) * dim];
    const std::span<const float> row = points.row(i);
    for (size_t k = 0; k < dim; ++k) centre[k] += row[k];
  }
  for (size_t j = 0; j < centres.size(); ++j) centres[j] /= static_cast<double>(counts[j / dim]);
  return centres;
}

/// The mean over the features of their variances.
double mean_variance(const FeatureRows& points) {
  std::vector<double> mean(static_cast<size_t>(points.dim));
  const double n = static_cast<double>(points.count());
  for (size_t j = 0; j < points.values.size(); ++j) mean[j % mean.size()] += points.values[j] / n;
  double squares = 0;
  for (size_t j = 0; j < points.values.size(); ++j) {
    const double x = points.values[j] - mean[j % mean.size()];
    squares += x * x;
  }
  return squares / static_cast<double>(points.values.size());
}

}  // namespace

Clustering lloyd(const FeatureRows& points, std::vector<double> centres, int64_t iterations,
                 double least_move) {
  check_rows("k-means, points", points, 1);
  if (centres.empty() || centres.size() % static_cast<size_t>(points.dim) != 0)
    throw Error("k-means: " + std::to_string(centres.size()) + " numbers are no centres of " +
                std::to_string(points.dim));
  const int64_t clusters = static_cast<int64_t>(centres.size()) / points.dim;
  Assignment a = assign(points, centres);
  for (int64_t iteration = 0; iteration < iterations; ++iteration) {
    std::vector<double> moved = means(points, a, clusters);
    double move = 0;
    for (size_t j = 0; j < moved.size(); ++j) move += (moved[j] - centres[j]) * (moved[j] - centres[j]);
    centres = std::move(moved);
    Assignment next = assign(points, centres);
    const bool same = next.labels == a.labels;
    a = std::move(next);
    if (same || move <= least_move) break;
  }
  return {std::move(a.labels), std::move(centres), sum_of(a.distances)};
}

Clustering k_means(const FeatureRows& points, const KMeansOptions& options, std::mt19937_64& random) {
  if (options.clusters < 1 || options.restarts < 1 || options.iterations < 1 || !(options.tolerance >= 0))
    throw Error("k-means: clusters " + std::to_string(options.clusters) + ", restarts " +
                std::to_string(options.restarts) + ", iterations " + std::to_string(options.iterations) +
                " (at least 1), tolerance " + std::to_string(options.tolerance) + " (at least 0)");
  check_rows("k-means, points", points, options.clusters);
  const double least_move = options.tolerance * mean_variance(points);
  Clustering best{{}, {}, std::numeric_limits<double>::infinity()};
  for (int64_t restart = 0; restart < options.restarts; ++restart) {
    Clustering found =
        lloyd(points, first_centres(points, options.clusters, random), options.iterations, least_move);
    if (found.inertia < best.inertia) best = std::move(found);
  }
  return best;
}

}  // namespace ebm
