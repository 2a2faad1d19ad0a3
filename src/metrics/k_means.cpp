// SPDX-License-Identifier: MIT
#include "metrics/k_means.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/error.h"
#include "metrics/centre_distances.h"

namespace ebm {

namespace {

/// Uniform in [0, 1), the same on every machine.
double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
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

int64_t trials_of(int64_t clusters) {
  return 2 + static_cast<int64_t>(std::log(static_cast<double>(clusters)));
}

/// One of the starts while its centres are drawn.
class Seeding {
 public:
  Seeding(const FeatureRows& points, const KMeansOptions& options, std::mt19937_64& random)
      : points_(points), trials_(trials_of(options.clusters)) {
    const int64_t first = static_cast<int64_t>(uniform(random) * static_cast<double>(points.count()));
    for (int64_t i = 0; i < (options.clusters - 1) * trials_; ++i) draws_.push_back(uniform(random));
    append(centres_, points.row(first));
    for (int64_t i = 0; i < points.count(); ++i)
      nearest_.push_back(squared_distance(points.row(i), centres_));
  }

  const std::vector<double>& centres() const { return centres_; }

  /// Draws points far from the centres so far, and appends them to `rows`.
  void propose(std::vector<double>& rows) {
    const double total = sum_of(nearest_);
    if (!(total > 0))
      throw Error("k-means: fewer different points than clusters; take fewer clusters or more samples");
    candidates_.clear();
    for (int64_t t = 0; t < trials_; ++t) {
      candidates_.push_back(drawn(nearest_, total, draws_[drawn_++]));
      append(rows, points_.row(candidates_.back()));
    }
  }

  /// Takes the best of those, which were centres `first`, first + 1, ... of `distances`: the one that leaves
  /// the smallest sum of squared distances from the nearest centre.
  void choose(const CentreDistances& distances, size_t first) {
    size_t best = 0;
    std::vector<double> least;
    for (size_t t = 0; t < candidates_.size(); ++t) {
      std::vector<double> left = distances.at_most(nearest_, first + t);
      if (t > 0 && !(sum_of(left) < sum_of(least))) continue;
      best = t;
      least = std::move(left);
    }
    nearest_ = std::move(least);
    append(centres_, points_.row(candidates_[best]));
  }

 private:
  const FeatureRows& points_;
  int64_t trials_;
  std::vector<double> draws_;
  size_t drawn_ = 0;
  std::vector<double> centres_, nearest_;
  std::vector<int64_t> candidates_;
};

/// The centres of each start. All starts take the same passes over the points, which are what costs.
std::vector<std::vector<double>> first_centres(CentreDistances& distances, const KMeansOptions& options,
                                               std::mt19937_64& random) {
  std::vector<Seeding> starts;
  for (int64_t i = 0; i < options.restarts; ++i) starts.emplace_back(distances.points(), options, random);
  const size_t trials = static_cast<size_t>(trials_of(options.clusters));
  for (int64_t c = 1; c < options.clusters; ++c) {
    if (options.told) options.told();
    std::vector<double> rows;
    for (Seeding& start : starts) start.propose(rows);
    distances.measure(rows);
    for (size_t i = 0; i < starts.size(); ++i) starts[i].choose(distances, i * trials);
  }
  std::vector<std::vector<double>> centres;
  for (const Seeding& start : starts) centres.push_back(start.centres());
  return centres;
}

/// The squared distance of each point from the centre that it belongs to.
std::vector<double> own_distances(const FeatureRows& points, const std::vector<int64_t>& labels,
                                  std::span<const double> centres) {
  const size_t dim = static_cast<size_t>(points.dim);
  std::vector<double> distances;
  for (int64_t i = 0; i < points.count(); ++i)
    distances.push_back(squared_distance(
        points.row(i), centres.subspan(static_cast<size_t>(labels[static_cast<size_t>(i)]) * dim, dim)));
  return distances;
}

/// Gives each cluster without points the farthest point of a cluster that has others.
std::vector<int64_t> without_empty(const FeatureRows& points, std::vector<int64_t> labels,
                                   std::span<const double> centres) {
  std::vector<int64_t> counts(centres.size() / static_cast<size_t>(points.dim));
  for (const int64_t label : labels) ++counts[static_cast<size_t>(label)];
  if (std::find(counts.begin(), counts.end(), 0) == counts.end()) return labels;
  std::vector<double> distances = own_distances(points, labels, centres);
  for (size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] != 0) continue;
    std::optional<size_t> farthest;
    for (size_t i = 0; i < labels.size(); ++i) {
      if (counts[static_cast<size_t>(labels[i])] > 1 && (!farthest || distances[i] > distances[*farthest]))
        farthest = i;
    }
    if (!farthest) throw Error("k-means: fewer points than clusters");
    --counts[static_cast<size_t>(labels[*farthest])];
    ++counts[c];
    labels[*farthest] = static_cast<int64_t>(c);
    distances[*farthest] = 0;
  }
  return labels;
}

/// The sums of the points of each cluster, kept up as points change theirs: few do after the first iterations.
class ClusterSums {
 public:
  ClusterSums(const FeatureRows& points, size_t clusters)
      : points_(points),
        labels_(static_cast<size_t>(points.count()), -1),
        counts_(clusters),
        sums_(clusters * static_cast<size_t>(points.dim)) {}

  void move_to(const std::vector<int64_t>& labels) {
    for (size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == labels_[i]) continue;
      if (labels_[i] >= 0) add(i, -1);
      labels_[i] = labels[i];
      add(i, 1);
    }
  }

  std::vector<double> means() const {
    std::vector<double> centres = sums_;
    for (size_t j = 0; j < centres.size(); ++j)
      centres[j] /= static_cast<double>(counts_[j / static_cast<size_t>(points_.dim)]);
    return centres;
  }

 private:
  void add(size_t i, int sign) {
    const size_t dim = static_cast<size_t>(points_.dim), cluster = static_cast<size_t>(labels_[i]);
    double* const sum = &sums_[cluster * dim];
    const std::span<const float> row = points_.row(static_cast<int64_t>(i));
    for (size_t k = 0; k < dim; ++k) sum[k] += sign * static_cast<double>(row[k]);
    counts_[cluster] += sign;
  }

  const FeatureRows& points_;
  std::vector<int64_t> labels_, counts_;
  std::vector<double> sums_;
};

/// Lloyd's iterations from one start.
class Descent {
 public:
  Descent(const FeatureRows& points, std::vector<double> centres)
      : points_(points),
        centres_(std::move(centres)),
        sums_(points, centres_.size() / static_cast<size_t>(points.dim)) {}

  const std::vector<double>& centres() const { return centres_; }
  bool ended() const { return ended_; }

  void move_centres() {
    sums_.move_to(without_empty(points_, labels_, centres_));
    std::vector<double> moved = sums_.means();
    move_ = 0;
    for (size_t j = 0; j < moved.size(); ++j) move_ += (moved[j] - centres_[j]) * (moved[j] - centres_[j]);
    centres_ = std::move(moved);
  }
  void take(std::vector<int64_t> labels, double least_move) {
    ended_ = labels == labels_ || move_ <= least_move;
    labels_ = std::move(labels);
  }
  Clustering clustering() const {
    return {labels_, centres_, sum_of(own_distances(points_, labels_, centres_))};
  }

 private:
  const FeatureRows& points_;
  std::vector<double> centres_;
  ClusterSums sums_;
  std::vector<int64_t> labels_;
  double move_ = std::numeric_limits<double>::infinity();
  bool ended_ = false;
};

/// The best of what Lloyd's iterations make of several starts; all that have not ended take the same passes.
Clustering best_descent(CentreDistances& distances, std::vector<std::vector<double>> starts,
                        const KMeansOptions& options, double least_move) {
  std::vector<Descent> descents;
  for (std::vector<double>& centres : starts) descents.emplace_back(distances.points(), std::move(centres));
  for (int64_t iteration = 0; iteration <= options.iterations; ++iteration) {
    if (options.told) options.told();
    std::vector<double> centres;
    for (Descent& descent : descents) {
      if (descent.ended()) continue;
      if (iteration > 0) descent.move_centres();
      centres.insert(centres.end(), descent.centres().begin(), descent.centres().end());
    }
    if (centres.empty()) break;
    distances.measure(centres);
    size_t first = 0;
    for (Descent& descent : descents) {
      if (descent.ended()) continue;
      const size_t clusters = descent.centres().size() / static_cast<size_t>(distances.points().dim);
      descent.take(distances.nearest(first, clusters), least_move);
      first += clusters;
    }
  }
  Clustering best{{}, {}, std::numeric_limits<double>::infinity()};
  for (const Descent& descent : descents) {
    Clustering found = descent.clustering();
    if (found.inertia < best.inertia) best = std::move(found);
  }
  return best;
}

/// The mean over the features of their variances.
double mean_variance(const FeatureRows& points) {
  std::vector<double> mean(static_cast<size_t>(points.dim));
  const double n = static_cast<double>(points.count());
  const auto each = [&](const auto& visit) {
    for (int64_t i = 0; i < points.count(); ++i) {
      const std::span<const float> row = points.row(i);
      for (size_t k = 0; k < mean.size(); ++k) visit(static_cast<double>(row[k]), mean[k]);
    }
  };
  each([n](double x, double& m) { m += x / n; });
  double squares = 0;
  each([&squares](double x, double m) { squares += (x - m) * (x - m); });
  return squares / static_cast<double>(points.values.size());
}

}  // namespace

Clustering lloyd(Kernels& kernels, const FeatureRows& points, std::vector<double> centres, int64_t iterations,
                 double least_move) {
  check_rows("k-means, points", points, 1);
  if (centres.empty() || centres.size() % static_cast<size_t>(points.dim) != 0)
    throw Error("k-means: " + std::to_string(centres.size()) + " numbers are no centres of " +
                std::to_string(points.dim));
  CentreDistances distances(kernels, points, static_cast<int64_t>(centres.size()) / points.dim);
  return best_descent(distances, {std::move(centres)}, {.iterations = iterations}, least_move);
}

Clustering k_means(Kernels& kernels, const FeatureRows& points, const KMeansOptions& options,
                   std::mt19937_64& random) {
  if (options.clusters < 1 || options.restarts < 1 || options.iterations < 1 || !(options.tolerance >= 0))
    throw Error("k-means: clusters " + std::to_string(options.clusters) + ", restarts " +
                std::to_string(options.restarts) + ", iterations " + std::to_string(options.iterations) +
                " (at least 1), tolerance " + std::to_string(options.tolerance) + " (at least 0)");
  check_rows("k-means, points", points, options.clusters);
  const int64_t each = std::max(options.clusters, trials_of(options.clusters));
  CentreDistances distances(kernels, points, options.restarts * each);
  return best_descent(distances, first_centres(distances, options, random), options,
                      options.tolerance * mean_variance(points));
}

}  // namespace ebm
