// SPDX-License-Identifier: MIT
#include "metrics/inception_score.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.h"

namespace ebm {

namespace {

/// p and ln p of one sample.
struct Classified {
  std::vector<double> p;
  std::vector<double> log_p;
};

Classified of_logits(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(x - top);
  Classified c;
  for (const float x : logits) c.log_p.push_back(x - top - std::log(sum));
  for (const double log_p : c.log_p) c.p.push_back(std::exp(log_p));
  return c;
}

Classified of_probabilities(std::span<const float> p) {
  Classified c{{p.begin(), p.end()}, {}};
  const double sum = std::accumulate(c.p.begin(), c.p.end(), 0.0);
  const double least = *std::min_element(c.p.begin(), c.p.end());
  if (!(least >= 0 && std::abs(sum - 1) <= 1e-3))
    throw Error("inception score: a sample's probabilities have the least " + std::to_string(least) +
                " and the sum " + std::to_string(sum) + "; give a softmax, or logits as logits");
  for (const double x : c.p) c.log_p.push_back(x > 0 ? std::log(x) : 0);
  return c;
}

/// exp of the mean KL of the samples `order`: mean_i sum_c p_ic ln p_ic - sum_c q_c ln q_c.
double split_score(const FeatureRows& scores, ClassScores kind, std::span<const int64_t> order) {
  const double n = static_cast<double>(order.size());
  std::vector<double> q(static_cast<size_t>(scores.dim));
  double negative_entropy = 0;
  for (const int64_t i : order) {
    const Classified c =
        kind == ClassScores::logits ? of_logits(scores.row(i)) : of_probabilities(scores.row(i));
    for (size_t k = 0; k < q.size(); ++k) {
      q[k] += c.p[k] / n;
      if (c.p[k] > 0) negative_entropy += c.p[k] * c.log_p[k] / n;
    }
  }
  double cross = 0;
  for (const double x : q) cross += x > 0 ? x * std::log(x) : 0;
  return std::exp(negative_entropy - cross);
}

std::vector<int64_t> checked_order(int64_t n, std::span<const int64_t> order) {
  std::vector<int64_t> all(static_cast<size_t>(n));
  std::iota(all.begin(), all.end(), int64_t{0});
  if (order.empty()) return all;
  std::vector<int64_t> sorted(order.begin(), order.end());
  std::sort(sorted.begin(), sorted.end());
  if (sorted != all)
    throw Error("inception score: the order of " + std::to_string(order.size()) +
                " samples is no permutation of " + std::to_string(n));
  return {order.begin(), order.end()};
}

}  // namespace

MeanAndDeviation inception_score(const FeatureRows& scores, ClassScores kind, int64_t splits,
                                 std::span<const int64_t> order) {
  if (splits < 1) throw Error("inception score: " + std::to_string(splits) + " splits; take at least 1");
  check_rows("inception score, class scores", scores, splits);
  const int64_t n = scores.count();
  const std::vector<int64_t> rows = checked_order(n, order);
  std::vector<double> each;
  for (int64_t s = 0; s < splits; ++s) {
    const int64_t first = s * n / splits, last = (s + 1) * n / splits;
    each.push_back(
        split_score(scores, kind,
                    std::span(rows).subspan(static_cast<size_t>(first), static_cast<size_t>(last - first))));
  }
  return mean_and_deviation(each);
}

}  // namespace ebm
