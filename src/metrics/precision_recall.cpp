// SPDX-License-Identifier: MIT
#include "metrics/precision_recall.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <string>

#include "core/error.h"

namespace ebm {

namespace {

constexpr double least_angle = 1e-10, least_denominator = 1e-10;

void check_shares(const char* name, std::span<const double> shares) {
  double sum = 0;
  bool negative = false;
  for (const double share : shares) {
    negative |= !(share >= 0);
    sum += share;
  }
  if (negative || !(std::abs(sum - 1) <= 1e-6))
    throw Error(std::string("precision and recall: the shares of the ") + name + " samples add up to " +
                std::to_string(sum) + (negative ? ", some below 0 or not a number" : ", not 1"));
}

/// Rounding may leave a share just above 1.
double clipped(double x) {
  if (!(x >= 0 && x <= 1.001))
    throw Error("precision and recall: " + std::to_string(x) + " is not within [0, 1]");
  return std::min(x, 1.0);
}

}  // namespace

std::vector<double> cluster_shares(std::span<const int64_t> labels, int64_t clusters) {
  if (labels.empty() || clusters < 1)
    throw Error("precision and recall: " + std::to_string(labels.size()) + " labels of " +
                std::to_string(clusters) + " clusters; give at least 1 of each");
  std::vector<double> shares(static_cast<size_t>(clusters));
  for (const int64_t label : labels) {
    if (label < 0 || label >= clusters)
      throw Error("precision and recall: the label " + std::to_string(label) + " is not in 0 ... " +
                  std::to_string(clusters - 1));
    ++shares[static_cast<size_t>(label)];
  }
  for (double& share : shares) share /= static_cast<double>(labels.size());
  return shares;
}

PrecisionRecall precision_recall_curve(std::span<const double> real, std::span<const double> generated,
                                       int64_t angles) {
  if (real.size() != generated.size() || angles < 3 || angles > 1'000'000)
    throw Error("precision and recall: shares in " + std::to_string(real.size()) + " and " +
                std::to_string(generated.size()) + " clusters, " + std::to_string(angles) +
                " angles; give equally many clusters, and 3 to 1000000 angles");
  check_shares("real", real);
  check_shares("generated", generated);
  const double last = std::numbers::pi / 2 - least_angle;
  PrecisionRecall curve;
  for (int64_t i = 0; i < angles; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(angles - 1);
    const double slope = std::tan(i + 1 == angles ? last : least_angle + part * (last - least_angle));
    double precision = 0;
    for (size_t c = 0; c < real.size(); ++c) precision += std::min(slope * real[c], generated[c]);
    curve.precision.push_back(clipped(precision));
    curve.recall.push_back(clipped(precision / slope));
  }
  return curve;
}

PrecisionRecall precision_recall(Kernels& kernels, const FeatureRows& real, const FeatureRows& generated,
                                 const PrecisionRecallOptions& options) {
  check_rows("precision and recall, real features", real, 1);
  check_rows("precision and recall, generated features", generated, 1);
  check_same_length(real, generated);
  if (real.count() != generated.count() || options.runs < 1)
    throw Error("precision and recall: " + std::to_string(real.count()) + " real and " +
                std::to_string(generated.count()) + " generated samples, " + std::to_string(options.runs) +
                " runs; give equally many samples, for uneven numbers bias the clusters, and at least 1 run");
  std::vector<float> both(real.values.begin(), real.values.end());
  both.insert(both.end(), generated.values.begin(), generated.values.end());
  std::mt19937_64 random(options.seed);
  PrecisionRecall mean;
  for (int64_t run = 0; run < options.runs; ++run) {
    KMeansOptions how = options.k_means;
    if (options.told) how.told = [&options, run] { options.told(run); };
    const Clustering clustering = k_means(kernels, {both, real.dim}, how, random);
    const auto labels = std::span<const int64_t>(clustering.labels);
    const size_t n = static_cast<size_t>(real.count());
    const PrecisionRecall curve =
        precision_recall_curve(cluster_shares(labels.first(n), options.k_means.clusters),
                               cluster_shares(labels.subspan(n), options.k_means.clusters), options.angles);
    mean.precision.resize(curve.precision.size());
    mean.recall.resize(curve.recall.size());
    for (size_t i = 0; i < curve.precision.size(); ++i) {
      mean.precision[i] += curve.precision[i] / static_cast<double>(options.runs);
      mean.recall[i] += curve.recall[i] / static_cast<double>(options.runs);
    }
    if (options.told) options.told(run + 1);
  }
  return mean;
}

double largest_f_score(const PrecisionRecall& curve, double beta) {
  if (!(beta > 0) || curve.precision.empty() || curve.precision.size() != curve.recall.size())
    throw Error("precision and recall: beta is " + std::to_string(beta) + " (above 0), of " +
                std::to_string(curve.precision.size()) + " precisions and " +
                std::to_string(curve.recall.size()) + " recalls");
  const double weight = beta * beta;
  double largest = 0;
  for (size_t i = 0; i < curve.precision.size(); ++i) {
    const double p = clipped(curve.precision[i]), r = clipped(curve.recall[i]);
    largest = std::max(largest, (1 + weight) * p * r / (weight * p + r + least_denominator));
  }
  return largest;
}

}  // namespace ebm
