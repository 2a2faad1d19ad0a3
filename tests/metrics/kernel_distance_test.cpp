// SPDX-License-Identifier: MIT
#include "metrics/kernel_distance.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "metrics/metrics_fixture.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

const Tolerance cancels{10, "means of cubes cancel to a tenth and less"};

TEST(KernelDistanceTest, AsTorchFidelityMeasures) {
  const MetricsGolden golden("kernel");
  const std::vector<float> x = golden.array<float>("x"), y = golden.array<float>("y");
  const int64_t dim = golden.columns("x");
  const FeatureRows first_of_x{std::span(x).first(y.size()), dim};
  EXPECT_TRUE(close(polynomial_mmd2(first_of_x, {y, dim}), golden.number("whole"), cancels));
  const MeanAndDeviation kid = kernel_distance({x, dim}, {y, dim}, {.subsets = 7, .subset_size = 37});
  EXPECT_TRUE(close(kid.mean, golden.number("mean"), cancels));
  EXPECT_TRUE(close(kid.deviation, golden.number("deviation"), cancels));
}

TEST(KernelDistanceTest, ByHand) {
  const std::vector<float> x{1, -1}, y{0, 2};
  // D = 1: k(1, -1) = 0, k(0, 2) = 1, k(1, 0) = k(-1, 0) = 1, k(1, 2) = 27, k(-1, 2) = -1.
  EXPECT_TRUE(close(polynomial_mmd2({x, 1}, {y, 1}), 0 + 1 - 2 * 28 / 4.0));
}

TEST(KernelDistanceTest, WhatCannotBeMeasured) {
  const std::vector<float> x{1, 2, 3, 4}, y{1, 2, 3, 4, 5, 6};
  std::vector<float> nan = x;
  nan[3] = std::numeric_limits<float>::quiet_NaN();
  expect_refusal([&] { polynomial_mmd2({x, 2}, {y, 2}); }, "2 and 3 samples; give as many of each");
  expect_refusal([&] { polynomial_mmd2({x, 2}, {x, 1}); }, "features of 2 and of 1 numbers");
  expect_refusal([&] { polynomial_mmd2({x, 4}, {x, 4}); }, "1 rows are too few; give at least 2");
  expect_refusal(
      [&] {
        polynomial_mmd2({x, 2}, {nan, 2});
      },
      "second features: row 1 has a number that is not finite");
  expect_refusal([&] { kernel_distance({nan, 2}, {y, 2}, {.subset_size = 2}); }, "first features: row 1");
  expect_refusal([&] { kernel_distance({x, 2}, {y, 2}); }, "2 rows are too few; give at least 1000");
  expect_refusal(
      [&] {
        kernel_distance({x, 2}, {y, 2}, {.subsets = 0, .subset_size = 2});
      },
      "0 subsets of 2");
  expect_refusal([&] { kernel_distance({x, 2}, {y, 2}, {.subset_size = 1}); }, "subsets of 1");
}

}  // namespace
}  // namespace ebm::test
