// SPDX-License-Identifier: MIT
// The numbers of a generator's Jacobian against singular values by the oracle's one-sided Jacobi.
#include "evaluate/jacobian_monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "curved_generator.h"
#include "reference/derivatives.h"
#include "reference/linalg.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

class JacobianMonitorTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int64_t points = 3, d = 11, range = 13;

  JacobianMonitorTest()
      : oracle_(curved_generator(d, range)), generator_(*kernels_, layers_of(oracle_.layers, flat(d))) {
    load(*kernels_, generator_, oracle_);
  }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Random random_{17};
  reference::Network oracle_;
  Network generator_;
};

TEST_P(JacobianMonitorTest, IsTheOraclesSingularValues) {
  JacobianMonitor monitor(*kernels_, generator_, points);
  const std::vector<float> z = reference::to_float(random_.normals(points * d));
  const std::vector<JacobianNumbers> found = monitor.at(z);
  ASSERT_EQ(std::ssize(found), points);
  for (int64_t i = 0; i < points; ++i) {
    const std::vector<double> at(z.begin() + i * d, z.begin() + (i + 1) * d);
    const reference::Matrix<double> j = reference::jacobian(oracle_, at, oracle_.parameters);
    const std::vector<double> s = reference::svd(j).values;
    double log_det = 0, sum = 0, squares = 0;
    for (const double value : s) log_det += std::log(value);
    for (int64_t column = 0; column < d; ++column) {
      double square = 0;
      for (int64_t row = 0; row < range; ++row) square += j(row, column) * j(row, column);
      sum += std::sqrt(square);
      squares += square;
    }
    const double mean = sum / d;
    const JacobianNumbers& point = found[static_cast<size_t>(i)];
    const Tolerance of_small_s1{.factor = 4, .reason = "the condition of J magnifies its roundings"};
    const auto agree = [&](double actual, double expected) {
      return close(static_cast<float>(actual), expected, of_small_s1);
    };
    EXPECT_TRUE(agree(point.log_det, log_det));
    EXPECT_TRUE(agree(point.d_log_s1, d * std::log(s.front())));
    EXPECT_TRUE(agree(point.condition, s.back() / s.front()));
    EXPECT_TRUE(agree(point.anisotropy, std::sqrt(squares / d - mean * mean)));
    EXPECT_TRUE(agree(point.trace_bound, d / 2.0 * std::log(squares / d)));
  }
  const JacobianNumbers mean = summary(found);
  EXPECT_DOUBLE_EQ(mean.log_det, (found[0].log_det + found[1].log_det + found[2].log_det) / 3);
  std::vector<double> conditions{found[0].condition, found[1].condition, found[2].condition};
  std::sort(conditions.begin(), conditions.end());
  EXPECT_EQ(mean.condition, conditions[1]);
}

TEST_P(JacobianMonitorTest, WhatHasNoAnswerSaysSo) {
  JacobianMonitor monitor(*kernels_, generator_, points);
  std::vector<float> z = reference::to_float(random_.normals(points * d));
  z[d] = std::nanf("");
  const std::vector<JacobianNumbers> found = monitor.at(z);
  EXPECT_TRUE(std::isfinite(found[0].log_det));
  for (const double x :
       {found[1].log_det, found[1].d_log_s1, found[1].condition, found[1].anisotropy, found[1].trace_bound})
    EXPECT_TRUE(std::isnan(x));
  EXPECT_TRUE(std::isnan(summary(found).log_det));
}

INSTANTIATE_TEST_SUITE_P(Devices, JacobianMonitorTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
