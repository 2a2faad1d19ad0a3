// SPDX-License-Identifier: MIT
#include "metrics/frechet_distance.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "metrics/metrics_fixture.h"
#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

/// Moments of rows that come `chunk` at a time.
Moments moments_of(const std::vector<float>& rows, int64_t dim, int64_t chunk) {
  MomentAccumulator accumulator(dim);
  const int64_t count = static_cast<int64_t>(rows.size()) / dim;
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t n = std::min(chunk, count - first);
    accumulator.add(
        {std::span(rows).subspan(static_cast<size_t>(first * dim), static_cast<size_t>(n * dim)), dim});
  }
  EXPECT_EQ(accumulator.count(), count);
  return accumulator.moments();
}

Moments scaled_identity(size_t dim, double scale, double mean) {
  Moments m{std::vector<double>(dim, mean), std::vector<double>(dim * dim)};
  for (size_t i = 0; i < dim; ++i) m.covariance[i * dim + i] = scale;
  return m;
}

class FrechetGoldenTest : public testing::TestWithParam<const char*> {};

TEST_P(FrechetGoldenTest, MomentsAreNumpysHoweverTheRowsCome) {
  const MetricsGolden golden(std::string("frechet/") + GetParam());
  const std::vector<float> x = golden.array<float>("x");
  for (const int64_t chunk : {1, 7, 1000}) {
    const Moments m = moments_of(x, golden.columns("x"), chunk);
    EXPECT_TRUE(close(m.mean, golden.array<double>("mean"))) << chunk;
    EXPECT_TRUE(close(m.covariance, golden.array<double>("covariance"))) << chunk;
  }
}

TEST_P(FrechetGoldenTest, DistanceIsTheExactOneAndSqrtms) {
  const MetricsGolden golden(std::string("frechet/") + GetParam());
  const int64_t dim = golden.columns("x");
  const Moments x = moments_of(golden.array<float>("x"), dim, 100),
                y = moments_of(golden.array<float>("y"), dim, 100);
  for (const double distance : {frechet_distance(x, y), frechet_distance(y, x)}) {
    EXPECT_TRUE(close(distance, golden.number("distance"), {10, "traces cancel to a half"}));
    EXPECT_TRUE(close(distance, golden.number("distance_sqrtm"),
                      {4.5e7, "sqrtm of a matrix of low rank is good to 1e-8 here; 1e-7 asked"}));
  }
}

INSTANTIATE_TEST_SUITE_P(Covariances, FrechetGoldenTest, testing::Values("full", "few", "one_few"));

TEST(MomentsTest, NothingCancelsFarFromTheOrigin) {
  reference::Random random{9};
  const int64_t dim = 3, count = 1301;  // more than two of its chunks
  std::vector<float> near, far;
  for (const double x : random.normals(dim * count)) {
    near.push_back(static_cast<float>(static_cast<int>(x * 1024)) / 1024);
    far.push_back(near.back() + 8192);  // exact
  }
  const Moments a = moments_of(near, dim, count), b = moments_of(far, dim, 17);
  EXPECT_TRUE(close(b.covariance, a.covariance,
                    {1000, "chunks' means near 8192 to 1e-12; E x^2 - mean^2 would lose 1e-8"}));
}

TEST(FrechetDistanceTest, ClosedForms) {
  const Moments a = scaled_identity(5, 4, 1), b = scaled_identity(5, 9, 3), point = scaled_identity(5, 0, 1);
  EXPECT_TRUE(close(frechet_distance(a, b), 5 * (2.0 * 2.0) + 5 * 1.0));  // |m|^2 + D (2 - 3)^2
  EXPECT_TRUE(close(frechet_distance(a, point), 20.0));
  EXPECT_TRUE(close(frechet_distance(point, a), 20.0));
  EXPECT_EQ(frechet_distance(point, point), 0.0);
  EXPECT_LT(std::abs(frechet_distance(a, a)), 1e-13);
}

TEST(FrechetDistanceTest, WhatHasNoDistance) {
  const Moments good = scaled_identity(3, 1, 0);
  Moments nan = good, none = good, cut = good, mean = good;
  nan.covariance[4] = std::numeric_limits<double>::quiet_NaN();
  mean.mean[0] = std::numeric_limits<double>::infinity();
  none.covariance[4] = -1;
  cut.covariance.pop_back();
  expect_refusal([&] { frechet_distance(good, nan); }, "not finite");
  expect_refusal([&] { frechet_distance(nan, good); }, "not finite");
  expect_refusal([&] { frechet_distance(mean, good); }, "not finite");
  expect_refusal([&] { frechet_distance(none, good); }, "eigenvalues from -1");
  expect_refusal([&] { frechet_distance(good, none); }, "eigenvalues from -1");
  expect_refusal([&] { frechet_distance(good, cut); }, "a covariance of 8 do not fit to features of 3");
  expect_refusal([&] { frechet_distance(scaled_identity(2, 1, 0), good); }, "do not fit to features of 2");
  expect_refusal([&] { frechet_distance({}, {}); }, "features of 0");
}

TEST(MomentsTest, WhatHasNoMoments) {
  MomentAccumulator accumulator(2);
  const std::vector<float> one{1, 2}, nan{1, std::numeric_limits<float>::quiet_NaN()};
  accumulator.add({one, 2});
  expect_refusal([&] { accumulator.add({nan, 2}); }, "row 0 has a number that is not finite");
  EXPECT_EQ(accumulator.count(), 1);
  expect_refusal([&] { accumulator.add({one, 1}); }, "features of 1 numbers, after 2");
  expect_refusal([&] { (void)accumulator.moments(); }, "moments of 1 samples");
  expect_refusal([&] { MomentAccumulator(0); }, "take at least 1");
}

}  // namespace
}  // namespace ebm::test
