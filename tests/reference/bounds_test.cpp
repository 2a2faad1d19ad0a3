// SPDX-License-Identifier: MIT
#include "reference/bounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "reference/differences.h"
#include "reference/quadrature.h"
#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::reference {
namespace {

using test::close;
using V = std::vector<double>;

Network linear(int64_t in, int64_t out, V parameters) {
  return {.layers = {LayerSpec::linear(in, out)},
          .parameters = std::move(parameters),
          .running = {},
          .statistics = Statistics::running};
}

/// A generator 3 -> 5 with every curved part: PReLU, batch norm, tanh.
Network curved_generator() {
  NetworkSpec layers = table6_generator(3, 4, 5);
  layers.insert(layers.begin() + 4, LayerSpec::tanh());
  layers.push_back(LayerSpec::tanh());
  return random_network(layers, Statistics::running, 31);
}
/// A smooth energy 5 -> 1, so that second derivatives are not zero.
Network curved_energy() {
  return random_network({LayerSpec::linear(5, 4), LayerSpec::tanh(), LayerSpec::linear(4, 3),
                         LayerSpec::prelu(), LayerSpec::linear(3, 1)},
                        Statistics::running, 32);
}

TEST(ReferenceBoundsTest, LinearGeneratorByHand) {
  // W = [3 0; 0 4; 0 0] along v = (1, 1): ||W v|| = 5, so log s1 = log(5 / sqrt 2); 1/2 log det = log 12
  const Network g = linear(2, 3, {3, 0, 0, 4, 0, 0, 1, 1, 1});
  const V z{0.3, -2};
  const V v{1, 1};
  const SampleGradient s1 = log_s1_gradient(g, z, v);
  EXPECT_TRUE(close(s1.value, std::log(5 / std::sqrt(2.0))));
  EXPECT_EQ(s1.z_bar, (V{0, 0}));
  // d log ||W v|| / dW = (W v) v^T / ||W v||^2
  EXPECT_TRUE(close(s1.w_bar, V{3. / 25, 3. / 25, 4. / 25, 4. / 25, 0, 0, 0, 0, 0}));
  const SampleGradient det = half_log_det_gradient(g, z);
  EXPECT_TRUE(close(det.value, std::log(12.0)));
  EXPECT_TRUE(close(det.w_bar, V{1. / 3, 0, 0, 1. / 4, 0, 0, 0, 0, 0}));
  EXPECT_EQ(det.z_bar, (V{0, 0}));
  const Network slanted = linear(2, 2, {1, 1, 1, 3, 0, 0});  // determinant 2
  EXPECT_TRUE(close(half_log_det(slanted, z, slanted.parameters), std::log(2.0)));
  EXPECT_EQ(bilinear(g, z, g.parameters, {1, 10, 100}, v), 43.0);
}

TEST(ReferenceBoundsTest, GradientsAgreeWithCentralDifferences) {
  const Network g = curved_generator();
  Random random(1);
  const V z = random.normals(3);
  const V v = random.normals(3);
  const V u = random.normals(5);
  const V& w = g.parameters;
  const SampleGradient s1 = log_s1_gradient(g, z, v);
  EXPECT_TRUE(close(s1.z_bar, central_differences([&](const V& x) { return log_s1(g, x, w, v); }, z),
                    of_differences()));
  EXPECT_TRUE(close(s1.w_bar, central_differences([&](const V& x) { return log_s1(g, z, x, v); }, w),
                    of_differences()));
  const SampleGradient det = half_log_det_gradient(g, z);
  EXPECT_TRUE(close(det.z_bar, central_differences([&](const V& x) { return half_log_det(g, x, w); }, z),
                    of_differences()));
  EXPECT_TRUE(close(det.w_bar, central_differences([&](const V& x) { return half_log_det(g, z, x); }, w),
                    of_differences()));
  const SampleGradient pair = bilinear_gradient(g, z, u, v);
  EXPECT_TRUE(close(pair.z_bar, central_differences([&](const V& x) { return bilinear(g, x, w, u, v); }, z),
                    of_differences()));
  EXPECT_TRUE(close(pair.w_bar, central_differences([&](const V& x) { return bilinear(g, z, x, u, v); }, w),
                    of_differences()));
}

TEST(ReferenceBoundsTest, AtTheSingularVectorTheGradientIsThatOfTheExactValue) {
  const Network g = curved_generator();
  const V z = Random(2).normals(3);
  const auto exact = [&](const V& at, const V& w) {
    return std::log(smallest_singular(jacobian(g, at, w)).s);
  };
  const SampleGradient s1 = log_s1_gradient(g, z, smallest_singular(jacobian(g, z, g.parameters)).v);
  EXPECT_TRUE(close(s1.value, exact(z, g.parameters), {.factor = 10, .reason = "two routes"}));
  EXPECT_TRUE(close(s1.z_bar, central_differences([&](const V& x) { return exact(x, g.parameters); }, z),
                    of_differences()));
  EXPECT_TRUE(close(s1.w_bar, central_differences([&](const V& x) { return exact(z, x); }, g.parameters),
                    of_differences()));
  // and a bound it is
  EXPECT_LT(3 * s1.value, half_log_det(g, z, g.parameters));
}

TEST(ReferenceBoundsTest, LogDetIsTheSumOfTheBilinearFormsOverABasis) {
  // dL = tr(A^-1 J^T dJ) = sum_j (J A^-1 e_j)^T dJ e_j
  const Network g = curved_generator();
  const V z = Random(3).normals(3);
  const Matrix<double> j = jacobian(g, z, g.parameters);
  V z_bar(3, 0.0);
  V w_bar(g.parameters.size(), 0.0);
  for (int64_t k = 0; k < 3; ++k) {
    const V axis = identity(3).column(k);
    const V u = multiply(j, solve_spd(multiply(transpose(j), j), axis));
    const SampleGradient part = bilinear_gradient(g, z, u, axis);
    z_bar = combine(1.0, z_bar, 1.0, part.z_bar);
    w_bar = combine(1.0, w_bar, 1.0, part.w_bar);
  }
  const SampleGradient det = half_log_det_gradient(g, z);
  EXPECT_TRUE(
      close(det.value, 0.5 * log_det_spd(multiply(transpose(j), j)), {.factor = 100, .reason = "cond(J)^2"}));
  const test::Tolerance solves{.factor = 1000, .reason = "solves with J^T J"};
  EXPECT_TRUE(close(z_bar, det.z_bar, solves));
  EXPECT_TRUE(close(w_bar, det.w_bar, solves));
}

TEST(ReferenceBoundsTest, PiecewiseLinearGeneratorsHaveAEqualZ) {
  const Network flat = random_network(table6_generator(3, 5, 4), Statistics::running, 4);
  Random random(5);
  const V z = random.normals(3);
  const V v = random.normals(3);
  EXPECT_EQ(score_target(flat, z, v), z);
  EXPECT_EQ(half_log_det_gradient(flat, z).z_bar, V(3, 0.0));
  // with a last tanh it is not, and a - z = d grad log s1
  const Network g = curved_generator();
  const V extra = combine(1.0, score_target(g, z, v), -1.0, z);
  EXPECT_GT(norm(extra), 1e-3);
  EXPECT_TRUE(close(extra, scale(3.0, log_s1_gradient(g, z, v).z_bar),
                    {.factor = 10, .reason = "z added and taken off"}));
}

TEST(ReferenceBoundsTest, DirectionalDerivative) {
  const Network e = curved_energy();
  Random random(6);
  const Matrix<double> x = random.matrix(2, 5), direction = random.matrix(2, 5);
  const V values = directional(e, x, e.parameters, direction);
  const Matrix<double> slopes = energy_gradients(e, x, e.parameters);
  for (int64_t i = 0; i < 2; ++i) {
    const double value = values[static_cast<size_t>(i)];
    EXPECT_TRUE(close(value, dot(slopes.row(i), direction.row(i)), {.factor = 10, .reason = "two routes"}));
    const V along = central_differences(
        [&](const V& t) { return e(as_row(combine(1.0, x.row(i), t[0], direction.row(i)))).values.front(); },
        {0.0});
    EXPECT_TRUE(close(value, along[0], of_differences()));
  }
}

TEST(ReferenceBoundsTest, PenaltiesOfALinearEnergyByHand) {
  // E = 2 x0 - x1 + 5. Sample 1: J v0 = (1, 1), a.v0 = 3, gap 1 - 3 = -2; sample 2: J v0 = (0, 2), a.v0 = -4
  // - 3, gap 5
  const Network e = linear(2, 1, {2, -1, 5});
  const Matrix<double> x{2, 2, {9, 9, 9, 9}};
  const Matrix<double> jv0{2, 2, {1, 1, 0, 2}};
  const Matrix<double> a{2, 2, {3, 7, -1, -1}};
  const Matrix<double> v0{2, 2, {1, 0, 4, 3}};
  const auto penalty = [&](Normaliser n) { return bidirectional_penalty(e, e.parameters, x, jv0, a, v0, n); };
  EXPECT_TRUE(close(penalty(Normaliser::none), (4 + 25) / 2.0));
  EXPECT_TRUE(close(penalty(Normaliser::d), (4 + 25) / 4.0));
  EXPECT_TRUE(close(penalty(Normaliser::v), (4 + 5) / 2.0));
  EXPECT_TRUE(close(penalty(Normaliser::v2), (4 + 1) / 2.0));
  const V w_bar =
      gradient([&](const auto& w) { return bidirectional_penalty(e, w, x, jv0, a, v0, Normaliser::none); },
               e.parameters);
  EXPECT_TRUE(close(w_bar, V{-2 * 1 + 5 * 0, -2 * 1 + 5 * 2, 0}));
  EXPECT_TRUE(close(zero_centred_penalty(e, e.parameters, x), 5.0));
  EXPECT_TRUE(close(gradient([&](const auto& w) { return zero_centred_penalty(e, w, x); }, e.parameters),
                    V{4, -2, 0}));
}

TEST(ReferenceBoundsTest, PenaltyGradientsAgreeWithCentralDifferences) {
  const Network e = curved_energy();
  Random random(7);
  const Matrix<double> x = random.matrix(4, 5);
  const Matrix<double> jv0 = random.matrix(4, 5);
  const Matrix<double> a = random.matrix(4, 3);
  const Matrix<double> v0 = random.matrix(4, 3);
  const auto bidirectional = [&](const auto& w) {
    return bidirectional_penalty(e, w, x, jv0, a, v0, Normaliser::v2);
  };
  EXPECT_TRUE(close(gradient(bidirectional, e.parameters), central_differences(bidirectional, e.parameters),
                    of_differences()));
  const auto zero_centred = [&](const auto& w) { return zero_centred_penalty(e, w, x); };
  EXPECT_TRUE(close(gradient(zero_centred, e.parameters), central_differences(zero_centred, e.parameters),
                    of_differences()));
}

}  // namespace
}  // namespace ebm::reference
