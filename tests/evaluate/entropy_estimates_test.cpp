// SPDX-License-Identifier: MIT
// The estimates of Figure 3 against the oracle's Jacobian, its singular values and its LOBPCG.
#include "evaluate/entropy_estimates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "curved_generator.h"
#include "reference/derivatives.h"
#include "reference/lobpcg.h"
#include "reference/random.h"
#include "sampling/latent_points.h"
#include "support/devices.h"
#include "support/networks.h"
#include "support/tolerance.h"
#include "train/draws.h"

namespace ebm::test {
namespace {

using reference::LayerSpec;

class EntropyEstimatesTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int64_t points = 3, d = 7, range = 13;
  static constexpr uint64_t seed = 5;

  EntropyEstimatesTest()
      : oracle_(curved_generator(d, range)), generator_(*kernels_, layers_of(oracle_.layers, flat(d))) {
    load(*kernels_, generator_, oracle_);
  }

  /// Row `point` of the noise that the estimates draw for this purpose.
  reference::Vector<double> drawn(uint32_t purpose, int64_t point) {
    const std::vector<float> all =
        latent_points(*kernels_, seed, static_cast<uint32_t>(Stream::evaluation) + purpose, points, flat(d));
    return {all.begin() + point * d, all.begin() + (point + 1) * d};
  }
  reference::Matrix<double> jacobian(int64_t point) {
    return reference::jacobian(oracle_, drawn(10, point), oracle_.parameters);
  }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Network oracle_;
  Network generator_;
};

TEST_P(EntropyEstimatesTest, AreTheOraclesNumbers) {
  // With as many pairs as z has dimensions Lanczos' quadrature of g^T log(J^T J) g has no error but rounding.
  EntropyEstimates estimates(*kernels_, generator_,
                             {.points = points, .seed = seed, .lobpcg_iterations = 2, .lanczos_pairs = d});
  const std::vector<std::vector<double>> found = estimates.at_points();
  ASSERT_EQ(found.size(), EntropyEstimates::names().size());
  const Tolerance of_small_s1{.factor = 10, .reason = "the condition of J magnifies its roundings"};
  for (int64_t i = 0; i < points; ++i) {
    const reference::Matrix<double> j = jacobian(i);
    const reference::Svd s = reference::svd(j);
    double log_det = 0, trace = 0, quadrature = 0;
    const reference::Vector<double> g = drawn(14, i);
    for (int64_t k = 0; k < d; ++k) {
      const double value = s.values[static_cast<size_t>(k)];
      log_det += std::log(value);
      trace += value * value;
      const double share = reference::dot(s.v.column(k), g) / reference::norm(g);
      quadrature += d * share * share * std::log(value);
    }
    const double hutchinson =
        d / 2.0 * std::log(std::pow(reference::norm(reference::multiply(j, drawn(13, i))), 2) / d);
    const double expected[] = {d * reference::lobpcg(j, drawn(11, i), {.iterations = 2}).log_s1(),
                               d * std::log(s.values.front()), log_det, hutchinson, quadrature};
    for (size_t k = 0; k < std::size(expected); ++k) {
      EXPECT_TRUE(close(static_cast<float>(found[k][static_cast<size_t>(i)]), expected[k], of_small_s1))
          << EntropyEstimates::names()[k];
    }
    EXPECT_TRUE(close(static_cast<float>(found[6][static_cast<size_t>(i)]), d / 2.0 * std::log(trace / d),
                      of_small_s1));
  }
}

TEST_P(EntropyEstimatesTest, LowerBoundTruthAndUpperBoundAreInOrder) {
  EntropyEstimates estimates(*kernels_, generator_, {.points = points, .seed = seed});
  const std::vector<std::vector<double>> found = estimates.at_points();
  for (size_t i = 0; i < points; ++i) {
    const double lobpcg = found[0][i], s1 = found[1][i], log_det = found[2][i], preconditioned = found[5][i],
                 trace_bound = found[6][i];
    const double rounding = 1e-4 * std::abs(s1);
    EXPECT_LT(s1, log_det);
    EXPECT_LT(log_det, trace_bound);
    // A Rayleigh quotient is never below s_1^2; that LOBPCG lies below the truth is not promised.
    EXPECT_GE(lobpcg, s1 - rounding);
    EXPECT_GE(preconditioned, s1 - rounding);
  }
  std::vector<double> means;
  for (const auto& values : found) means.push_back((values[0] + values[1] + values[2]) / 3);
  EXPECT_TRUE(close(std::span<const double>(estimates.means()), std::span<const double>(means)))
      << "the second time as the first, preconditioner and all";
}

TEST_P(EntropyEstimatesTest, APreconditionerBringsLobpcgNearer) {
  // J of a linear map is the same everywhere, and so its mean J^T J the map's own.
  const reference::Network linear =
      reference::random_network({LayerSpec::linear(19, 23)}, reference::Statistics::running, 3);
  Network generator(*kernels_, layers_of(linear.layers, flat(19)));
  load(*kernels_, generator, linear);
  EntropyEstimates estimates(*kernels_, generator, {.points = 5, .seed = seed});
  const std::vector<double> means = estimates.means();
  EXPECT_GT(means[0] - means[1], 1) << "else there is nothing to gain";
  EXPECT_LT(means[5] - means[1], 0.5 * (means[0] - means[1]));
}

TEST_P(EntropyEstimatesTest, WhatIsNotFiniteIsNan) {
  reference::Network broken = oracle_;
  broken.parameters.back() = NAN;
  load(*kernels_, generator_, broken);
  EntropyEstimates estimates(*kernels_, generator_, {.points = points, .seed = seed});
  for (const double mean : estimates.means()) EXPECT_TRUE(std::isnan(mean));
}

INSTANTIATE_TEST_SUITE_P(Devices, EntropyEstimatesTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
