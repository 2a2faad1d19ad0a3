// SPDX-License-Identifier: MIT
#include "metrics/detection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "metrics/metrics_fixture.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

TEST(DetectionTest, AsScikitLearnWithManyTies) {
  const MetricsGolden golden("detection");
  const Detection found = detection(golden.array<float>("inside"), golden.array<float>("outside"));
  EXPECT_TRUE(close(found.auroc, golden.number("auroc")));
  EXPECT_TRUE(close(found.fpr80, golden.number("fpr80")));
  EXPECT_TRUE(close(found.average_precision, golden.number("average_precision")));
  EXPECT_TRUE(close(found.precision_recall_area, golden.number("area")));
  EXPECT_TRUE(close(found.average_precision_out, golden.number("average_precision_out")));
  EXPECT_TRUE(close(found.precision_recall_area_out, golden.number("area_out")));
}

TEST(DetectionTest, LowEnergyIsInside) {
  const std::vector<float> low{-3, -2, -1}, high{0, 1};
  const Detection right = detection(low, high), wrong = detection(high, low);
  EXPECT_EQ(right.auroc, 1.0);
  EXPECT_EQ(right.fpr80, 0.0);
  EXPECT_EQ(right.average_precision, 1.0);
  EXPECT_EQ(right.average_precision_out, 1.0);
  EXPECT_EQ(wrong.auroc, 0.0);
  EXPECT_EQ(wrong.fpr80, 1.0);
}

TEST(DetectionTest, ConstantAndInfiniteScores) {
  const std::vector<float> constant(7, 2.5F);
  const Detection found = detection(constant, constant);
  EXPECT_EQ(found.auroc, 0.5);
  EXPECT_EQ(found.fpr80, 1.0);
  EXPECT_EQ(found.average_precision, 0.5);
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<double> in{infinity, 1}, out{0, -infinity};
  EXPECT_EQ(auroc({in, out}), 1.0);
}

TEST(DetectionTest, TheThresholdIsTheFirstWithEnough) {
  const std::vector<double> in{5, 4, 3, 2, 1}, out{4.5, 2.5, 1.5, 0};
  EXPECT_EQ(fpr_at_tpr({in, out}, 0.8), 0.5);  // at 2: 4 of 5, with 4.5 and 2.5 above
  EXPECT_EQ(fpr_at_tpr({in, out}, 0.81), 0.75);
  EXPECT_EQ(fpr_at_tpr({in, out}, 1), 0.75);
  EXPECT_EQ(fpr_at_tpr({in, out}, 0.01), 0.0);
}

TEST(DetectionTest, WhatCannotBeTold) {
  const std::vector<double> good{1, 2}, nan{1, std::nan("")};
  expect_refusal([&] { auroc({good, {}}); }, "2 positive and 0 negative scores");
  expect_refusal([&] { average_precision({{}, good}); }, "0 positive");
  expect_refusal([&] { auroc({nan, good}); }, "not a number");
  expect_refusal([&] { average_precision({good, nan}); }, "not a number");
  expect_refusal([&] { precision_recall_area({good, nan}); }, "not a number");
  expect_refusal([&] { fpr_at_tpr({nan, good}, 0.8); }, "not a number");
  expect_refusal([&] { fpr_at_tpr({good, good}, 0); }, "a TPR of 0");
  expect_refusal([&] { fpr_at_tpr({good, good}, std::nan("")); }, "a TPR of nan");
  expect_refusal([&] { detection({}, {}); }, "0 positive and 0 negative");
}

}  // namespace
}  // namespace ebm::test
