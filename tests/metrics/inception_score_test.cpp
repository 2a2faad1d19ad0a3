// SPDX-License-Identifier: MIT
#include "metrics/inception_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "metrics/metrics_fixture.h"
#include "metrics/numpy_random.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

std::vector<double> both(const MeanAndDeviation& score) {
  return {score.mean, score.deviation};
}

TEST(InceptionScoreTest, AsTorchFidelityScores) {
  const MetricsGolden golden("inception");
  const std::vector<float> logits = golden.array<float>("logits");
  const FeatureRows rows{logits, golden.columns("logits")};
  const std::vector<int64_t> order = NumpyRandom(fidelity_seed).permutation(rows.count());
  EXPECT_EQ(order, golden.integers("order"));
  EXPECT_TRUE(close(both(inception_score(rows, ClassScores::logits, 10, order)),
                    golden.array<double>("ten_shuffled"),
                    {10, "logits are near 40: their differences carry 40 epsilon"}));
  EXPECT_TRUE(close(both(inception_score(rows, ClassScores::logits, 1)), golden.array<double>("one"),
                    {10, "logits are near 40: their differences carry 40 epsilon"}));
}

TEST(InceptionScoreTest, ProbabilitiesWithZeros) {
  const MetricsGolden golden("inception");
  const std::vector<float> hard = golden.array<float>("hard");
  EXPECT_TRUE(close(both(inception_score({hard, golden.columns("hard")}, ClassScores::probabilities, 4)),
                    golden.array<double>("hard_four")));
}

TEST(InceptionScoreTest, AllClassesEvenlyAndOneClassAlone) {
  const std::vector<float> sure{1, 0, 0, 0, 1, 0, 0, 0, 1}, same{-700, 700, 700, -700, 700, 700};
  EXPECT_TRUE(close(inception_score({sure, 3}, ClassScores::probabilities, 1).mean, 3.0));
  const MeanAndDeviation one = inception_score({same, 3}, ClassScores::logits, 2);
  EXPECT_TRUE(close(one.mean, 1.0));
  EXPECT_EQ(one.deviation, 0.0);
}

TEST(InceptionScoreTest, WhatCannotBeScored) {
  const std::vector<float> p{0.5F, 0.5F, 0.25F, 0.75F}, logits{1, 2, 3, 4};
  const std::vector<float> nan{0.5F, 0.5F, std::numeric_limits<float>::quiet_NaN(), 0.5F};
  const auto score = [](const std::vector<float>& values, ClassScores kind, int64_t splits,
                        std::vector<int64_t> order = {}) {
    return inception_score({values, 2}, kind, splits, order);
  };
  expect_refusal([&] { score(nan, ClassScores::logits, 1); }, "row 1 has a number that is not finite");
  expect_refusal([&] { score(logits, ClassScores::probabilities, 1); }, "give a softmax");
  expect_refusal([&] { score({1.5F, -0.5F}, ClassScores::probabilities, 1); }, "the least -0.5");
  expect_refusal([&] { score(p, ClassScores::probabilities, 3); }, "2 rows are too few; give at least 3");
  expect_refusal([&] { score(p, ClassScores::probabilities, 0); }, "0 splits");
  expect_refusal([&] { score({}, ClassScores::logits, 1); }, "0 rows are too few");
  expect_refusal([&] { score(p, ClassScores::logits, 1, {0, 0}); }, "no permutation of 2");
  expect_refusal([&] { score(p, ClassScores::logits, 1, {0}); }, "order of 1 samples");
  expect_refusal([&] { inception_score({p, 3}, ClassScores::logits, 1); }, "4 numbers are no rows of 3");
}

TEST(NumpyRandomTest, PermutationsAreNumpys) {
  const MetricsGolden golden("permutations");
  NumpyRandom random(fidelity_seed);
  EXPECT_EQ(random.permutation(1), golden.integers("first"));
  EXPECT_EQ(random.permutation(103), golden.integers("second"));
  EXPECT_EQ(random.permutation(1000), golden.integers("third"));
  EXPECT_EQ(NumpyRandom(7).permutation(64), golden.integers("other_seed"));
  EXPECT_TRUE(random.permutation(0).empty());
  expect_refusal([&] { random.permutation(-1); }, "a permutation of -1");
}

}  // namespace
}  // namespace ebm::test
