// SPDX-License-Identifier: MIT
#include "metrics/detection.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "core/error.h"

namespace ebm {

namespace {

/// How many of each kind are at or above a threshold.
struct Passed {
  double positive = 0;
  double negative = 0;

  [[nodiscard]] double precision() const { return positive / (positive + negative); }
};

void check(const Scores& scores) {
  if (scores.positive.empty() || scores.negative.empty())
    throw Error("detection: " + std::to_string(scores.positive.size()) + " positive and " +
                std::to_string(scores.negative.size()) + " negative scores; give at least 1 of each");
  const auto is_nan = [](double x) { return std::isnan(x); };
  if (std::any_of(scores.positive.begin(), scores.positive.end(), is_nan) ||
      std::any_of(scores.negative.begin(), scores.negative.end(), is_nan))
    throw Error("detection: a score is not a number; look at the energies");
}

/// For each different score from the highest downwards; the last has all.
std::vector<Passed> passed_at_thresholds(const Scores& scores) {
  check(scores);
  struct Sample {
    double score;
    bool positive;
  };
  std::vector<Sample> samples;
  for (const double score : scores.positive) samples.push_back({score, true});
  for (const double score : scores.negative) samples.push_back({score, false});
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.score > b.score; });
  std::vector<Passed> passed;
  Passed so_far;
  for (size_t i = 0; i < samples.size(); ++i) {
    ++(samples[i].positive ? so_far.positive : so_far.negative);
    if (i + 1 == samples.size() || samples[i + 1].score != samples[i].score) passed.push_back(so_far);
  }
  return passed;
}

std::vector<double> times(double factor, std::span<const float> energies) {
  std::vector<double> scores;
  for (const float energy : energies) scores.push_back(factor * static_cast<double>(energy));
  return scores;
}

}  // namespace

double auroc(const Scores& scores) {
  const std::vector<Passed> passed = passed_at_thresholds(scores);
  Passed before;
  double area = 0;
  for (const Passed& now : passed) {
    area += (now.negative - before.negative) * (now.positive + before.positive) / 2;
    before = now;
  }
  return area / (before.positive * before.negative);
}

double average_precision(const Scores& scores) {
  const std::vector<Passed> passed = passed_at_thresholds(scores);
  double before = 0, sum = 0;
  for (const Passed& now : passed) {
    sum += (now.positive - before) * now.precision();
    before = now.positive;
  }
  return sum / before;
}

double precision_recall_area(const Scores& scores) {
  const std::vector<Passed> passed = passed_at_thresholds(scores);
  double before = 0, precision_before = 1, sum = 0;
  for (const Passed& now : passed) {
    sum += (now.positive - before) * (now.precision() + precision_before) / 2;
    before = now.positive;
    precision_before = now.precision();
  }
  return sum / before;
}

double fpr_at_tpr(const Scores& scores, double tpr) {
  if (!(tpr > 0 && tpr <= 1)) throw Error("detection: a TPR of " + std::to_string(tpr) + " is not in (0, 1]");
  const std::vector<Passed> passed = passed_at_thresholds(scores);
  const Passed& all = passed.back();
  const auto enough = std::find_if(passed.begin(), passed.end(),
                                   [&](const Passed& now) { return now.positive / all.positive >= tpr; });
  return enough->negative / all.negative;
}

Detection detection(std::span<const float> in_energies, std::span<const float> out_energies) {
  const std::vector<double> in = times(-1, in_energies), out = times(-1, out_energies);
  const std::vector<double> in_energy = times(1, in_energies), out_energy = times(1, out_energies);
  const Scores scores{.positive = in, .negative = out},
      swapped{.positive = out_energy, .negative = in_energy};
  return {.auroc = auroc(scores),
          .fpr80 = fpr_at_tpr(scores, 0.8),
          .average_precision = average_precision(scores),
          .precision_recall_area = precision_recall_area(scores),
          .average_precision_out = average_precision(swapped),
          .precision_recall_area_out = precision_recall_area(swapped)};
}

}  // namespace ebm
