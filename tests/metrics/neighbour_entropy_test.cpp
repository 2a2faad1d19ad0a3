// SPDX-License-Identifier: MIT
#include "metrics/neighbour_entropy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "metrics/metrics_fixture.h"
#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

TEST(NeighbourEntropyTest, AsTheGoldenAndWithTwoPointsInOnePlace) {
  const MetricsGolden golden("entropy");
  const std::vector<float> points = golden.array<float>("points");
  EXPECT_TRUE(
      close(neighbour_entropy(points), golden.number("third"), {10, "terms up to 10 times the result"}));
  EXPECT_TRUE(
      close(neighbour_entropy(points, 10), golden.number("tenth"), {10, "terms up to 10 times the result"}));
  expect_refusal([&] { neighbour_entropy(points, 1); }, "2 points coincide");
}

TEST(NeighbourEntropyTest, OfAGaussianAndOfASquare) {
  reference::Random random{2};
  const std::vector<float> normal = reference::to_float(random.normals(40'000)),
                           square = reference::to_float(random.uniforms(40'000));
  // The estimate's deviation is about sqrt((variance of log density + psi'(3)) / N) = 0.009.
  EXPECT_NEAR(neighbour_entropy(normal), std::log(2 * std::numbers::pi * std::numbers::e), 0.03);
  EXPECT_NEAR(neighbour_entropy(square), 0.0, 0.03);
}

TEST(NeighbourEntropyTest, ByHandOnALine) {
  const std::vector<float> points{0, 0, 1, 0, 3, 0};     // nearest: 1, 1, 2; second: 3, 2, 3
  const double rest = std::log(std::numbers::pi) + 1.5;  // psi(3) - psi(1) = 1 + 1/2
  EXPECT_TRUE(close(neighbour_entropy(points, 1), rest + 2 * std::log(2.0) / 3));
  EXPECT_TRUE(close(neighbour_entropy(points, 2), rest - 1 + 2 * std::log(18.0) / 3));
}

TEST(NeighbourEntropyTest, WhatHasNoEntropy) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> few{0, 0, 1, 0, 3, 0}, odd{0, 0, 1}, bad{0, 0, 1, nan, 2, 2, 3, 3}, same(20, 0.5F);
  expect_refusal([&] { neighbour_entropy(few); }, "6 coordinates, neighbour number 3");
  expect_refusal([&] { neighbour_entropy(odd, 1); }, "3 coordinates");
  expect_refusal([&] { neighbour_entropy(few, 0); }, "neighbour number 0");
  expect_refusal([&] { neighbour_entropy({}, 1); }, "0 coordinates");
  expect_refusal([&] { neighbour_entropy(bad); }, "point 1 is not finite");
  expect_refusal([&] { neighbour_entropy(same); }, "4 points coincide");
}

}  // namespace
}  // namespace ebm::test
