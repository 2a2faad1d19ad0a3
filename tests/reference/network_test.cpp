// SPDX-License-Identifier: MIT
#include "reference/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "reference/derivatives.h"
#include "reference/differences.h"
#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::reference {
namespace {

using test::close;
using V = std::vector<double>;

Network network(NetworkSpec layers, V parameters, V running = {}, Statistics statistics = Statistics::batch) {
  return {std::move(layers), std::move(parameters), std::move(running), statistics};
}

// ---- values by hand

TEST(ReferenceNetworkTest, LinearByHand) {
  const Network n = network({LayerSpec::linear(3, 2)}, {1, 2, 3, 4, 5, 6, 0.5, -0.5});
  EXPECT_EQ(n({2, 3, {1, 0, -1, 2, 1, 0}}).values, (V{-1.5, -2.5, 4.5, 12.5}));
}

TEST(ReferenceNetworkTest, LinearWithoutBias) {
  LayerSpec layer = LayerSpec::linear(1, 1);
  layer.bias = false;
  EXPECT_EQ(network({layer}, {3})({2, 1, {2, -1}}).values, (V{6, -3}));
}

TEST(ReferenceNetworkTest, SlopesByHand) {
  const Matrix<double> x{1, 4, {-2, -1, 0, 3}};
  EXPECT_EQ(network({LayerSpec::prelu()}, {0.25})(x).values, (V{-0.5, -0.25, 0, 3}));
  EXPECT_EQ(network({LayerSpec::leaky_relu(0.5)}, {})(x).values, (V{-1, -0.5, 0, 3}));
  EXPECT_EQ(network({LayerSpec::relu()}, {})(x).values, (V{0, 0, 0, 3}));
  EXPECT_TRUE(
      close(network({LayerSpec::tanh()}, {})(x).values, V{std::tanh(-2.), std::tanh(-1.), 0, std::tanh(3.)}));
}

TEST(ReferenceNetworkTest, SlopeAtZeroIsPyTorchs) {
  // d/dx at 0 is the slope's, d/dslope at 0 is 0
  const Matrix<double> zero{1, 1, {0}};
  const Matrix<double> one{1, 1, {1}};
  EXPECT_EQ(vjp(network({LayerSpec::relu()}, {}), zero, {}, one).x_bar.values, V{0});
  EXPECT_EQ(vjp(network({LayerSpec::prelu()}, {0.25}), zero, {0.25}, one).x_bar.values, V{0.25});
  EXPECT_EQ(vjp(network({LayerSpec::prelu()}, {0.25}), zero, {0.25}, one).w_bar, V{0});
}

TEST(ReferenceNetworkTest, BatchNormByHand) {
  // column 1, 3, 8: mean 4, biased variance 26/3, unbiased 13; weight 2, bias 10
  const Network n = network({LayerSpec::batch_norm(1)}, {2, 10}, {5, 3});
  const Matrix<double> x{3, 1, {1, 3, 8}};
  const double deviation = std::sqrt(26.0 / 3 + 1e-5);
  EXPECT_TRUE(close(n(x).values, V{10 - 6 / deviation, 10 - 2 / deviation, 10 + 8 / deviation}));
  EXPECT_TRUE(close(n.running_after(x), V{0.9 * 5 + 0.1 * 4, 0.9 * 3 + 0.1 * 13}));
  const double running = std::sqrt(3 + 1e-5);
  EXPECT_TRUE(
      close(n.with(Statistics::running)(x).values, V{10 - 8 / running, 10 - 4 / running, 10 + 6 / running}));
}

TEST(ReferenceNetworkTest, BatchNormSharesAChannelsPositions) {
  // two channels at two positions of one row: channel 0 sees 1, 3; channel 1 sees 10, 20
  const Network n = network({LayerSpec::batch_norm(2)}, {1, 1, 0, 0}, {0, 0, 1, 1});
  const double first = 1 / std::sqrt(1 + 1e-5);
  const double second = 5 / std::sqrt(25 + 1e-5);
  EXPECT_TRUE(close(n({1, 4, {1, 10, 3, 20}}).values, V{-first, -second, first, second}));
  EXPECT_TRUE(close(n.running_after({1, 4, {1, 10, 3, 20}}), V{0.2, 1.5, 0.9 + 0.2, 0.9 + 5.0}));
}

TEST(ReferenceNetworkTest, SpectralNormByHand) {
  LayerSpec layer = LayerSpec::linear(2, 2).normalised();
  layer.bias = false;
  const Matrix<double> x{1, 2, {2, 5}};
  // W = diag(3, 1). With u = e1 kept, v = e1 and s = W_00.
  const Network kept = network({layer}, {3, 0, 0, 1}, {1, 0}, Statistics::running);
  EXPECT_TRUE(close(kept(x).values, V{2, 5.0 / 3}));
  EXPECT_TRUE(
      close(vjp(kept, x, kept.parameters, {1, 2, {1, 1}}).w_bar, V{-5.0 / 9, 5.0 / 3, 2.0 / 3, 5.0 / 3}));
  // An iteration from (1, 1): v along (3, 1), W v = (9, 1) / sqrt(10).
  const Network moved = network({layer}, {3, 0, 0, 1}, {1, 1});
  const double s = std::sqrt(8.2);
  EXPECT_TRUE(close(moved(x).values, V{6 / s, 5 / s}));
  EXPECT_TRUE(close(moved.running_after(x), V{9 / std::sqrt(82), 1 / std::sqrt(82)}));
}

TEST(ReferenceNetworkTest, TwoInputsByHand) {
  LayerSpec scale = LayerSpec::linear(1, 1), sum = LayerSpec::linear(2, 1);
  scale.bias = sum.bias = false;
  // 3 (2 x) + 4 z
  EXPECT_EQ(network({LayerSpec::joined_inputs(1, {scale}, {sum})}, {2, 3, 4})({1, 2, {5, 7}}).values, V{58});
  // 2 h + exp(logsigma) e, whose derivative by logsigma is exp(logsigma) e
  const Network noisy = network({LayerSpec::noisy_output(1, {scale})}, {std::log(0.5), 2});
  const Matrix<double> row{1, 2, {3, 4}};
  EXPECT_TRUE(close(noisy(row).values, V{8}));
  EXPECT_TRUE(close(vjp(noisy, row, noisy.parameters, {1, 1, {1}}).w_bar, V{2, 3}));
}

TEST(ReferenceNetworkTest, SequentialIsTheCompositionInTheOrderOfTheStateDict) {
  // y = w2 prelu(w1 x + b1) + b2 with parameters w1 b1 slope w2 b2
  const Network n =
      network({LayerSpec::linear(1, 1), LayerSpec::prelu(), LayerSpec::linear(1, 1)}, {2, 1, 0.5, 3, -4});
  EXPECT_EQ(n({2, 1, {1, -2}}).values, (V{3 * 3 - 4, 3 * -1.5 - 4}));
}

TEST(ReferenceNetworkTest, Table6Sizes) {
  EXPECT_EQ(parameter_count(table6_energy(2, 100)), 2 * 100 + 100 + 1 + 100 * 100 + 100 + 1 + 100 + 1);
  EXPECT_EQ(parameter_count(table6_generator(2, 100, 2)),
            2 * 100 + 100 + 1 + 200 + 100 * 100 + 100 + 1 + 200 + 200 + 2);
  EXPECT_EQ(running_count(table6_generator(2, 100, 2)), 400);
}

TEST(ReferenceNetworkTest, WrongSizesThrow) {
  EXPECT_THROW(network({LayerSpec::linear(2, 1)}, {1, 1})({1, 2, {1, 1}}), std::invalid_argument);
  EXPECT_THROW(network({LayerSpec::linear(2, 1)}, {1, 1, 1})({1, 3, {1, 1, 1}}), std::invalid_argument);
}

// ---- derivatives by hand

TEST(ReferenceDerivativesTest, LinearMapsByHand) {
  const Network n = network({LayerSpec::linear(2, 2)}, {1, 2, 3, 4, 0, 0});
  const Matrix<double> x{1, 2, {5, 7}};
  EXPECT_EQ(jvp(n, x, n.parameters, {1, 2, {1, -1}}).values, (V{-1, -1}));
  const Vjp back = vjp(n, x, n.parameters, {1, 2, {10, 1}});
  EXPECT_EQ(back.x_bar.values, (V{13, 24}));
  EXPECT_EQ(back.w_bar, (V{50, 70, 5, 7, 10, 1}));
  // <y_bar, W x + b> + <y_dot_bar, W x_dot>
  const VjpOfJvp both = vjp_of_jvp(n, x, n.parameters, {1, 2, {1, -1}}, {1, 2, {10, 1}}, {1, 2, {100, 1000}});
  EXPECT_EQ(both.x_bar.values, (V{13, 24}));
  EXPECT_EQ(both.x_dot_bar.values, (V{3100, 4200}));
  EXPECT_EQ(both.w_bar, (V{50 + 100, 70 - 100, 5 + 1000, 7 - 1000, 10, 1}));
}

TEST(ReferenceDerivativesTest, TanhByHand) {
  const Network n = network({LayerSpec::tanh()}, {});
  const double t = std::tanh(0.4);
  const VjpOfJvp both = vjp_of_jvp(n, {1, 1, {0.4}}, {}, {1, 1, {3}}, {1, 1, {5}}, {1, 1, {7}});
  EXPECT_TRUE(close(both.x_bar.values, V{5 * (1 - t * t) + 7 * 3 * -2 * t * (1 - t * t)}));
  EXPECT_TRUE(close(both.x_dot_bar.values, V{7 * (1 - t * t)}));
}

TEST(ReferenceDerivativesTest, BatchNormJvpByHand) {
  // y_dot = weight/s (x_dot - mean(x_dot) - xhat mean(xhat x_dot)), xhat = (x - mean)/s
  const Network n = network({LayerSpec::batch_norm(1)}, {2, 10}, {0, 1});
  const Matrix<double> x{3, 1, {1, 3, 8}};
  const double s = std::sqrt(26.0 / 3 + 1e-5);
  const V xhat{-3 / s, -1 / s, 4 / s};
  const V x_dot{1, -2, 4};
  const double m1 = 1;
  const double m2 = (xhat[0] - 2 * xhat[1] + 4 * xhat[2]) / 3;
  V expected;
  for (int i = 0; i < 3; ++i) expected.push_back(2 / s * (x_dot[i] - m1 - xhat[i] * m2));
  EXPECT_TRUE(close(jvp(n, x, n.parameters, {3, 1, x_dot}).values, expected));
}

// ---- derivatives against central differences

class ReferenceNetworkDerivatives : public ::testing::TestWithParam<Statistics> {};

TEST_P(ReferenceNetworkDerivatives, AgreeWithCentralDifferences) {
  NetworkSpec layers = table6_generator(3, 4, 5);
  layers.push_back(LayerSpec::leaky_relu(0.2));
  layers.push_back(LayerSpec::tanh());
  layers.push_back(LayerSpec::batch_norm(5));
  const Network n = random_network(layers, GetParam(), 11);
  Random random(12);
  const Matrix<double> x = random.matrix(7, 3);
  const Matrix<double> x_dot = random.matrix(7, 3);
  const Matrix<double> y_bar = random.matrix(7, 5);
  const Matrix<double> y_dot_bar = random.matrix(7, 5);
  const V& w = n.parameters;

  // <y_bar, J x_dot> two ways: the dual number's JVP and differences of the values.
  const V y_along = central_differences(
      [&](const V& t) {
        Matrix<double> at = x;
        at.values = combine(1.0, x.values, t[0], x_dot.values);
        return inner(y_bar, n(at, w));
      },
      {0.0});
  EXPECT_TRUE(close(inner(y_bar, jvp(n, x, w, x_dot)), y_along[0], of_differences()));

  const Vjp back = vjp(n, x, w, y_bar);
  EXPECT_TRUE(close(back.x_bar.values,
                    central_differences(
                        [&](const V& v) {
                          return inner(y_bar, n({7, 3, v}, w));
                        },
                        x.values),
                    of_differences()));
  EXPECT_TRUE(close(back.w_bar, central_differences([&](const V& v) { return inner(y_bar, n(x, v)); }, w),
                    of_differences()));

  // Here the JVP itself is exact (dual), so that only one difference is taken.
  const auto pair = [&](const Matrix<double>& at, const Matrix<double>& direction, const V& weights) {
    return inner(y_bar, n(at, weights)) + inner(y_dot_bar, jvp(n, at, weights, direction));
  };
  const VjpOfJvp both = vjp_of_jvp(n, x, w, x_dot, y_bar, y_dot_bar);
  EXPECT_TRUE(close(both.x_bar.values,
                    central_differences(
                        [&](const V& v) {
                          return pair({7, 3, v}, x_dot, w);
                        },
                        x.values),
                    of_differences()));
  EXPECT_TRUE(close(both.x_dot_bar.values,
                    central_differences(
                        [&](const V& v) {
                          return pair(x, {7, 3, v}, w);
                        },
                        x_dot.values),
                    of_differences()));
  EXPECT_TRUE(close(both.w_bar, central_differences([&](const V& v) { return pair(x, x_dot, v); }, w),
                    of_differences()));
}
INSTANTIATE_TEST_SUITE_P(Statistics, ReferenceNetworkDerivatives,
                         ::testing::Values(Statistics::batch, Statistics::running));

TEST(ReferenceDerivativesTest, ManyTangentsAreSingleOnesSideBySide) {
  const Network n = random_network(table6_generator(2, 3, 2), Statistics::batch, 3);
  Random random(4);
  const Matrix<double> x = random.matrix(5, 2);
  const Matrix<double> first = random.matrix(5, 2);
  const Matrix<double> second = random.matrix(5, 2);
  Matrix<double> by_sample(10, 2);
  Matrix<double> by_tangent(10, 2);
  for (int64_t b = 0; b < 5; ++b) {
    by_sample.set_row(2 * b, first.row(b));
    by_sample.set_row(2 * b + 1, second.row(b));
    by_tangent.set_row(b, first.row(b));
    by_tangent.set_row(5 + b, second.row(b));
  }
  const Matrix<double> y_first = jvp(n, x, n.parameters, first);
  const Matrix<double> y_second = jvp(n, x, n.parameters, second);
  const Matrix<double> y_by_sample = jvp_many(n, x, n.parameters, by_sample, TangentOrder::by_sample);
  const Matrix<double> y_by_tangent = jvp_many(n, x, n.parameters, by_tangent, TangentOrder::by_tangent);
  for (int64_t b = 0; b < 5; ++b) {
    EXPECT_EQ(y_by_sample.row(2 * b), y_first.row(b));
    EXPECT_EQ(y_by_sample.row(2 * b + 1), y_second.row(b));
    EXPECT_EQ(y_by_tangent.row(b), y_first.row(b));
    EXPECT_EQ(y_by_tangent.row(5 + b), y_second.row(b));
  }
}

TEST(ReferenceDerivativesTest, VjpOfManyJvpsAgreesWithCentralDifferences) {
  const Network n = random_network({LayerSpec::linear(2, 3), LayerSpec::batch_norm(3), LayerSpec::tanh()},
                                   Statistics::batch, 5);
  Random random(6);
  const Matrix<double> x = random.matrix(4, 2);
  const Matrix<double> x_dot = random.matrix(8, 2);
  const Matrix<double> y_bar = random.matrix(4, 3);
  const Matrix<double> y_dot_bar = random.matrix(8, 3);
  const auto value = [&](const Matrix<double>& at, const Matrix<double>& direction, const V& weights) {
    return inner(y_bar, n(at, weights)) +
           inner(y_dot_bar, jvp_many(n, at, weights, direction, TangentOrder::by_tangent));
  };
  const V& w = n.parameters;
  const VjpOfJvp all = vjp_of_jvp_many(n, x, w, x_dot, y_bar, y_dot_bar);
  EXPECT_TRUE(close(all.x_bar.values,
                    central_differences(
                        [&](const V& v) {
                          return value({4, 2, v}, x_dot, w);
                        },
                        x.values),
                    of_differences()));
  EXPECT_TRUE(close(all.x_dot_bar.values,
                    central_differences(
                        [&](const V& v) {
                          return value(x, {8, 2, v}, w);
                        },
                        x_dot.values),
                    of_differences()));
  EXPECT_TRUE(close(all.w_bar, central_differences([&](const V& v) { return value(x, x_dot, v); }, w),
                    of_differences()));
}

TEST(ReferenceDerivativesTest, JacobianIsJvpAndVjp) {
  const Network n = random_network(table6_generator(3, 4, 5), Statistics::running, 21);
  Random random(22);
  const V z = random.normals(3);
  const V v = random.normals(3);
  const V u = random.normals(5);
  const Matrix<double> j = jacobian(n, z, n.parameters);
  ASSERT_EQ(j.rows, 5);
  ASSERT_EQ(j.cols, 3);
  EXPECT_TRUE(close(multiply(j, v), jvp(n, as_row(z), n.parameters, as_row(v)).values));
  EXPECT_TRUE(close(multiply(transpose(j), u), vjp(n, as_row(z), n.parameters, as_row(u)).x_bar.values));
}

}  // namespace
}  // namespace ebm::reference
