// SPDX-License-Identifier: MIT
#include "metrics/precision_recall.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "metrics/centre_distances.h"
#include "metrics/metrics_fixture.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

/// `each` points around each of `blobs` corners 100 apart, in turn; corner of point i is i mod blobs.
std::vector<float> around_corners(int64_t blobs, int64_t each, int64_t dim, uint32_t seed) {
  reference::Random random{seed};
  std::vector<float> points;
  for (int64_t i = 0; i < blobs * each; ++i) {
    for (int64_t k = 0; k < dim; ++k) {
      const double corner = k == i % blobs % dim ? static_cast<double>(100 * (1 + i % blobs / dim)) : 0;
      points.push_back(static_cast<float>(corner + random.normal()));
    }
  }
  return points;
}

class KMeansTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
};

TEST(PrecisionRecallTest, AsTheGoldenFromGivenLabels) {
  const MetricsGolden golden("precision_recall");
  const PrecisionRecall curve = precision_recall_curve(cluster_shares(golden.integers("real"), 20),
                                                       cluster_shares(golden.integers("generated"), 20));
  EXPECT_TRUE(close(curve.precision, golden.array<double>("precision")));
  EXPECT_TRUE(close(curve.recall, golden.array<double>("recall")));
  EXPECT_TRUE(close(largest_f_score(curve, 8), golden.number("f8")));
  EXPECT_TRUE(close(largest_f_score(curve, 1 / 8.0), golden.number("f1_8")));
}

TEST(PrecisionRecallTest, HalfTheModesAreRecallHalf) {
  const std::vector<double> real{0.25, 0.25, 0.25, 0.25}, half{0.5, 0.5, 0, 0}, other{0, 0, 0, 1};
  const PrecisionRecall curve = precision_recall_curve(real, half);
  EXPECT_TRUE(close(curve.precision.back(), 1.0));
  EXPECT_TRUE(close(curve.recall.front(), 0.5));
  // F_8 = 65 p r / (64 p + r) at p = 1, r = 1/2; F_1/8 has the roles exchanged.
  const Tolerance between{2e10, "both are reached at slope 2, which lies between two of 1001 angles"};
  EXPECT_TRUE(close(largest_f_score(curve, 8), 32.5 / 64.5, between));
  EXPECT_TRUE(close(largest_f_score(curve, 1 / 8.0), 32.5 / 33, between));
  EXPECT_TRUE(
      close(largest_f_score(precision_recall_curve(real, real), 8), 1.0, {1e5, "1e-10 in the denominator"}));
  EXPECT_EQ(largest_f_score(precision_recall_curve(half, other), 8), 0.0);
}

TEST_P(KMeansTest, OfFeaturesThatLackTwoModesOfFive) {
  const std::vector<float> real = around_corners(5, 60, 5, 1), generated = around_corners(3, 100, 5, 2);
  const PrecisionRecallOptions options{.k_means = {.clusters = 5, .restarts = 2}, .runs = 3, .seed = 4};
  const PrecisionRecall curve = precision_recall(*kernels_, {real, 5}, {generated, 5}, options);
  const std::vector<double> r(5, 0.2), g{1 / 3.0, 1 / 3.0, 1 / 3.0, 0, 0};
  const PrecisionRecall expected = precision_recall_curve(r, g);
  EXPECT_TRUE(close(curve.precision, expected.precision));
  EXPECT_TRUE(close(curve.recall, expected.recall));
}

TEST_P(KMeansTest, TheSameSeedGivesTheSameCurve) {
  const MetricsGolden golden("precision_recall");
  const std::vector<float> points = golden.array<float>("points");
  const FeatureRows a{std::span(points).first(7 * 200), 7}, b{std::span(points).subspan(7 * 200, 7 * 200), 7};
  PrecisionRecallOptions options{.k_means = {.restarts = 1}, .runs = 2, .seed = 4};
  const PrecisionRecall first = precision_recall(*kernels_, a, b, options);
  EXPECT_EQ(precision_recall(*kernels_, a, b, options).precision, first.precision);
  options.seed = 5;
  EXPECT_NE(precision_recall(*kernels_, a, b, options).precision, first.precision);
}

TEST_P(KMeansTest, SeparatedBlobsAreTheClusters) {
  const int64_t blobs = 20, each = 53, dim = 7;
  const std::vector<float> points = around_corners(blobs, each, dim, 3);
  std::mt19937_64 random(1);
  const Clustering found = k_means(*kernels_, {points, dim}, {.clusters = blobs}, random);
  ASSERT_EQ(found.labels.size(), static_cast<size_t>(blobs * each));
  std::set<int64_t> labels;
  for (int64_t i = 0; i < blobs * each; ++i) {
    EXPECT_EQ(found.labels[static_cast<size_t>(i)], found.labels[static_cast<size_t>(i % blobs)])
        << "point " << i;
    labels.insert(found.labels[static_cast<size_t>(i)]);
  }
  EXPECT_EQ(labels.size(), static_cast<size_t>(blobs));
}

TEST_P(KMeansTest, InertiaIsNoWorseThanScikitLearns) {
  const MetricsGolden golden("precision_recall");
  const std::vector<float> points = golden.array<float>("points");
  std::mt19937_64 random(0);
  const Clustering found = k_means(*kernels_, {points, 7}, {}, random);
  EXPECT_LE(found.inertia, 1.01 * golden.number("inertia"));
  double inertia = 0;  // of the labels and centres that it gave; no centre is nearer
  for (size_t i = 0; i < points.size() / 7; ++i) {
    double least = std::numeric_limits<double>::infinity(), own = 0;
    for (size_t c = 0; c < 20; ++c) {
      double squared = 0;
      for (size_t k = 0; k < 7; ++k) {
        const double difference = points[7 * i + k] - found.centres[7 * c + k];
        squared += difference * difference;
      }
      least = std::min(least, squared);
      if (static_cast<int64_t>(c) == found.labels[i]) own = squared;
    }
    EXPECT_TRUE(close(own, least)) << "point " << i;
    inertia += own;
  }
  EXPECT_TRUE(close(found.inertia, inertia));
}

TEST_P(KMeansTest, FromGivenCentresAsScikitLearn) {
  const MetricsGolden golden("precision_recall");
  const std::vector<float> points = golden.array<float>("points");
  const Clustering found =
      lloyd(*kernels_, {points, 7}, std::vector<double>(points.begin(), points.begin() + 20 * 7), 300, 0);
  EXPECT_EQ(found.labels, golden.integers("given_labels"));
  EXPECT_TRUE(close(found.inertia, golden.number("given_inertia")));
}

TEST_P(KMeansTest, AClusterWithoutPointsTakesTheFarthestOne) {
  const std::vector<float> points{0, 1, 10, 13};
  const Clustering found = lloyd(*kernels_, {points, 1}, {0.5, 100, 200}, 300, 0);
  EXPECT_EQ(found.labels, (std::vector<int64_t>{0, 0, 2, 1}));
  EXPECT_EQ(found.centres, (std::vector<double>{0.5, 13, 10}));
  EXPECT_EQ(found.inertia, 0.5);
}

TEST_P(KMeansTest, AsManyClustersAsPoints) {
  const std::vector<float> points{1, 5, 2, 9, 7};
  std::mt19937_64 random(1);
  const Clustering found = k_means(*kernels_, {points, 1}, {.clusters = 5}, random);
  EXPECT_EQ(found.inertia, 0.0);
  EXPECT_EQ(std::set<int64_t>(found.labels.begin(), found.labels.end()).size(), 5u);
}

TEST_P(KMeansTest, WhatCannotBeClustered) {
  const std::vector<float> same{1, 1, 1, 2}, nan{1, std::numeric_limits<float>::quiet_NaN(), 2};
  std::mt19937_64 random(1);
  expect_refusal(
      [&] {
        k_means(*kernels_, {same, 1}, {.clusters = 3}, random);
      },
      "fewer different points than clusters");
  expect_refusal(
      [&] {
        k_means(*kernels_, {same, 1}, {.clusters = 5}, random);
      },
      "4 rows are too few; give at least 5");
  expect_refusal(
      [&] {
        k_means(*kernels_, {nan, 1}, {.clusters = 2}, random);
      },
      "row 1 has a number that is not finite");
  expect_refusal([&] { lloyd(*kernels_, {same, 2}, {1}, 5, 0); }, "1 numbers are no centres of 2");
  expect_refusal([&] { lloyd(*kernels_, {same, 2}, {}, 5, 0); }, "0 numbers are no centres");
  expect_refusal([&] { lloyd(*kernels_, {nan, 1}, {1}, 5, 0); }, "row 1 has a number that is not finite");
  expect_refusal(
      [&] {
        lloyd(*kernels_, {same, 2}, {0, 0, 1, 1, 2, 2}, 5, 0);
      },
      "fewer points than clusters");
  expect_refusal([&] { k_means(*kernels_, {same, 1}, {.clusters = 0}, random); }, "clusters 0");
  expect_refusal(
      [&] {
        k_means(*kernels_, {same, 1}, {.clusters = 1, .tolerance = std::nan("")}, random);
      },
      "tolerance nan");
}

TEST(PrecisionRecallTest, WhatHasNoCurve) {
  const auto kernels = open_device("cpu");
  const std::vector<double> half{0.5, 0.5}, over{0.5, 0.6}, negative{1.5, -0.5}, nan{0.5, std::nan("")},
      one{1};
  expect_refusal([&] { precision_recall_curve(half, over); },
                 "the shares of the generated samples add up to 1.1");
  expect_refusal([&] { precision_recall_curve(negative, half); }, "some below 0");
  expect_refusal([&] { precision_recall_curve(nan, half); }, "not a number");
  expect_refusal([&] { precision_recall_curve(half, one); }, "in 2 and 1 clusters");
  expect_refusal([&] { precision_recall_curve(half, half, 2); }, "2 angles");
  expect_refusal([&] { precision_recall_curve({}, {}); }, "add up to 0");
  expect_refusal([&] { cluster_shares({}, 3); }, "0 labels");
  expect_refusal([&] { cluster_shares(std::vector<int64_t>{3}, 3); }, "the label 3");
  expect_refusal([&] { largest_f_score({{1}, {1}}, 0); }, "beta is 0");
  expect_refusal([&] { largest_f_score({{1}, {std::nan("")}}, 8); }, "nan is not within [0, 1]");
  expect_refusal([&] { largest_f_score({{1.01}, {1}}, 8); }, "1.01");
  expect_refusal([&] { largest_f_score({}, 8); }, "0 precisions");
  const std::vector<float> x{1, 2, 3, 4}, y{1, 2};
  expect_refusal([&] { precision_recall(*kernels, {x, 2}, {y, 2}); }, "2 real and 1 generated samples");
  expect_refusal([&] { precision_recall(*kernels, {x, 2}, {x, 1}); }, "features of 2 and of 1 numbers");
  expect_refusal([&] { precision_recall(*kernels, {x, 2}, {x, 2}, {.runs = 0}); }, "0 runs");
}

/// Points near a centre each, all far from the origin, and with ties.
TEST_P(KMeansTest, NearestAndLeastDistancesAreThoseOfFloat64) {
  const int64_t count = 301, dim = 37, clusters = 7;
  reference::Random random{8};
  std::vector<float> points = reference::to_float(random.normals(count * dim));
  std::vector<double> centres = random.normals(clusters * dim);
  for (float& x : points) x += 3000;
  for (size_t k = 0; k < centres.size(); ++k)
    centres[k] = 3000 + (k < 2 * dim ? centres[k % dim] : centres[k]) / 1000;  // the first two are one
  CentreDistances distances(*kernels_, {points, dim}, clusters);
  distances.measure(centres);
  const std::vector<int64_t> nearest = distances.nearest(0, clusters), later = distances.nearest(2, 3);
  std::vector<double> bounds;
  for (int64_t i = 0; i < count; ++i) bounds.push_back(i % 2 == 0 ? 37 : 1e9);
  std::set<int64_t> found(nearest.begin(), nearest.end());
  EXPECT_GT(found.size(), 3u);
  std::vector<std::vector<double>> least;
  for (size_t c = 0; c < clusters; ++c) least.push_back(distances.at_most(bounds, c));
  for (size_t i = 0; i < nearest.size(); ++i) {
    std::vector<double> expected;
    for (int64_t c = 0; c < clusters; ++c) {
      double sum = 0;
      for (int64_t k = 0; k < dim; ++k) {
        const double left =
            points[i * dim + static_cast<size_t>(k)] - centres[static_cast<size_t>(c * dim + k)];
        sum += left * left;
      }
      expected.push_back(sum);
      EXPECT_TRUE(close(least[static_cast<size_t>(c)][i], std::min(sum, bounds[i])));
    }
    EXPECT_EQ(nearest[i], std::min_element(expected.begin(), expected.end()) - expected.begin()) << i;
    EXPECT_EQ(later[i], std::min_element(&expected[2], &expected[5]) - &expected[2]) << i;
  }
}

TEST_P(KMeansTest, NumbersThatFloat32DoesNotMultiplyAreComparedToo) {
  const std::vector<float> huge{1e30F, 2e30F, 7e30F, 8e30F}, tiny{1e-30F, 2e-30F, 7e-30F, 8e-30F};
  for (const std::vector<float>& points : {huge, tiny}) {
    const std::vector<double> centres{points[0], points[3]};
    CentreDistances distances(*kernels_, {points, 1}, 2);
    distances.measure(centres);
    EXPECT_EQ(distances.nearest(0, 2), (std::vector<int64_t>{0, 0, 1, 1}));
  }
}

TEST_P(KMeansTest, EndsWhereItIsTold) {
  const std::vector<float> points = around_corners(5, 40, 5, 3);
  int64_t told = 0;
  const FeatureRows half{std::span(points).first(500), 5};
  const PrecisionRecallOptions options{.runs = 3, .told = [&](int64_t done) {
                                         EXPECT_EQ(done, 0);
                                         if (++told == 25) throw Error("stop");
                                       }};
  expect_refusal([&] { precision_recall(*kernels_, half, half, options); }, "stop");
}

INSTANTIATE_TEST_SUITE_P(Devices, KMeansTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
