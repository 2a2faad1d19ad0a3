// SPDX-License-Identifier: MIT
#include "reference/ebm_bb.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "reference/differences.h"
#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::reference {
namespace {

using test::close;
using V = std::vector<double>;

TEST(ReferenceEbmBbTest, AdamByHand) {
  V w{1.0, -1.0};
  Moments moments;
  // first step: m / (1 - b1) = g and s / (1 - b2) = g^2, so w moves by lr g / (|g| + eps)
  adam_step(w, {0.5, -2.0}, moments, 0.1, 0.5, 0.75, 0.5);
  EXPECT_TRUE(close(w, V{1.0 - 0.1 * 0.5 / 1.0, -1.0 + 0.1 * 2.0 / 2.5}));
  // second: m = .5 * .25 + .5 * 1 = .625, over 1 - .25; s = .75 * .0625 + .25 = .296875, over 1 - .5625
  adam_step(w, {1.0, 0.0}, moments, 0.1, 0.5, 0.75, 0.5);
  EXPECT_TRUE(close(w[0], 0.95 - 0.1 * (0.625 / 0.75) / (std::sqrt(0.296875 / 0.4375) + 0.5)));
  EXPECT_TRUE(close(moments.exp_avg, V{0.625, -0.5}));
  EXPECT_TRUE(close(moments.exp_avg_sq, V{0.296875, 0.75}));
  EXPECT_EQ(moments.step, 2);
}

TEST(ReferenceEbmBbTest, OneDimensionByHand) {
  // E(x) = t x + c, G(z) = p z + q: J = p, s1 = |p|, a = z, E'(x~; J v0) = t p v0. t = 2, c = 1, p = -3, q =
  // .5
  const auto line = [](double slope, double offset) {
    return Network{.layers = {LayerSpec::linear(1, 1)}, .parameters = {slope, offset}, .running = {}};
  };
  const EbmBbState before{.energy = line(2, 1), .generator = line(-3, 0.5)};
  const EbmBbConfig config{.lower = LowerBound::s1,
                           .penalty_weight = 0.5,
                           .hinge = 1.0,
                           .entropy_weight = 0.25,
                           .lr_energy = 0.125,
                           .lr_generator = 0.25,
                           .epsilon = 0.0};
  const EbmBbInputs in{.x = {2, 1, {1, 3}},
                       .z = {2, 1, {1, -2}},
                       .v0 = {2, 1, {1, 2}},
                       .z_generator = {2, 1, {4, 2}},
                       .v0_generator = {2, 1, {1, 1}}};
  const EbmBbResult r = play(config, before, in);
  EXPECT_TRUE(close(r.energy_real, V{3, 7}));
  EXPECT_TRUE(close(r.energy_fake, V{2 * -2.5 + 1, 2 * 6.5 + 1}));
  EXPECT_EQ(r.a.values, (V{1, -2}));
  EXPECT_TRUE(close(r.directional, V{-6, -12}));
  // gaps -6 - 1 = -7 and -12 + 4 = -8: penalty (49 + 64)/2 = 56.5; L_E = 5 - 5 + (.5/2 56.5 - 1)
  EXPECT_TRUE(close(r.penalty, 56.5));
  EXPECT_TRUE(close(r.loss_energy, 0.25 * 56.5 - 1));
  // dL_E/dt = mean x - mean x~ + .25 * mean 2 gap p v0 = 2 - 2 + .25 (2 (-7)(-3) + 2 (-8)(-6))/2
  EXPECT_TRUE(close(r.gradient_energy, V{0.25 * (42 + 96) / 2, 0}));
  EXPECT_TRUE(close(r.entropy[0].value, std::log(3.0)));
}

TEST(ReferenceEbmBbTest, OneDimensionalGeneratorStepByHand) {
  // Weight 0 takes the penalty away: dL_E/dt = mean x - mean x~ = 2 - 2.5 < 0, so Adam (b1 = 0, eps = 0) adds
  // lr to t; c does not matter (its gradient is 0, and epsilon keeps 0/0 away).
  const auto line = [](double slope, double offset) {
    return Network{.layers = {LayerSpec::linear(1, 1)}, .parameters = {slope, offset}, .running = {}};
  };
  const EbmBbConfig config{.lower = LowerBound::s1,
                           .penalty_weight = 0.0,
                           .entropy_weight = 0.25,
                           .lr_energy = 0.125,
                           .lr_generator = 0.25,
                           .epsilon = 1e-30};
  const EbmBbInputs in{.x = {2, 1, {1, 3}},
                       .z = {2, 1, {1, -2}},
                       .v0 = {2, 1, {1, 2}},
                       .z_generator = {2, 1, {4, 2}},
                       .v0_generator = {2, 1, {1, 1}}};
  const EbmBbResult r = play(config, {.energy = line(2, 1), .generator = line(-3, 1)}, in);
  EXPECT_TRUE(close(r.gradient_energy, V{-0.5, 0}));
  EXPECT_TRUE(close(r.after.energy.parameters, V{2.125, 1}));
  // x~2 = -11, -5: L_G = 2.125 * -8 + 1 - .25 log 3; dL_G/dp = t mean z2 - .25/p, dL_G/dq = t
  EXPECT_TRUE(close(r.loss_generator, 2.125 * -8 + 1 - 0.25 * std::log(3.0)));
  EXPECT_TRUE(close(r.gradient_generator, V{2.125 * 3 + 0.25 / 3, 2.125}));
  EXPECT_TRUE(close(r.after.generator.parameters, V{-3.25, 0.75}));
  EXPECT_EQ(r.after.generator_moments.step, 1);
}

/// <gradient, direction> against differences of the loss along a few random directions (every entry would
/// take minutes under the sanitizers: each loss is a whole iteration).
template <class F>
void expect_gradient(const F& loss, const V& at, const V& gradient) {
  Random random(99);
  V expected;
  V actual;
  for (int k = 0; k < 4; ++k) {
    const V direction = scale(1 / std::sqrt(static_cast<double>(at.size())), random.normals(std::ssize(at)));
    actual.push_back(dot(gradient, direction));
    expected.push_back(
        central_differences([&](const V& t) { return loss(combine(1.0, at, t[0], direction)); }, {0.0})[0]);
  }
  EXPECT_TRUE(close(actual, expected, of_differences()));
}

class ReferenceEbmBb : public ::testing::Test {
 protected:
  static constexpr int64_t B = 5;
  /// momentum 0 keeps the running statistics still.
  static EbmBbState state(double momentum = 0.1) {
    NetworkSpec layers = table6_generator(3, 4, 4);
    layers.push_back(LayerSpec::tanh());
    for (LayerSpec& layer : layers) layer.momentum = momentum;
    return {.energy = random_network(table6_energy(4, 5), Statistics::batch, 41),
            .generator = random_network(layers, Statistics::batch, 42)};
  }
  static EbmBbInputs inputs() {
    Random random(43);
    return {.x = random.matrix(B, 4),
            .z = random.matrix(B, 3),
            .v0 = random.matrix(B, 3),
            .p0 = random.matrix(B, 3),
            .z_generator = random.matrix(B, 3),
            .v0_generator = random.matrix(B, 3),
            .p0_generator = random.matrix(B, 3),
            .between = random.uniforms(B)};
  }
};

TEST_F(ReferenceEbmBb, EnergyGradientAgreesWithCentralDifferencesForEveryBound) {
  const EbmBbInputs in = inputs();
  for (const LowerBound lower : {LowerBound::lobpcg, LowerBound::authors, LowerBound::s1, LowerBound::log_det,
                                 LowerBound::slq_gauss, LowerBound::slq_radau})
    for (const UpperBound upper : {UpperBound::bidirectional, UpperBound::zero_centred_real,
                                   UpperBound::zero_centred_fake, UpperBound::zero_centred_between}) {
      if (upper != UpperBound::bidirectional && lower != LowerBound::s1) continue;
      const EbmBbConfig config{
          .lower = lower, .upper = upper, .penalty_weight = 0.7, .normaliser = Normaliser::v};
      const auto loss = [&](const V& w) {
        EbmBbState before = state();
        before.energy.parameters = w;
        return play(config, before, in).loss_energy;
      };
      // Tiny steps of E's parameters leave v, a, x~ and J as they are: they belong to the generator.
      const EbmBbResult r = play(config, state(), in);
      SCOPED_TRACE(std::to_string(static_cast<int>(lower)) + " " + std::to_string(static_cast<int>(upper)));
      expect_gradient(loss, state().energy.parameters, r.gradient_energy);
    }
}

TEST_F(ReferenceEbmBb, GeneratorGradientAgreesWithCentralDifferences) {
  // With the energy and the running statistics held still, L_G depends on the generator's parameters alone;
  // for s1 the moving v does not matter to first order.
  const EbmBbInputs in = inputs();
  for (const LowerBound lower : {LowerBound::none, LowerBound::s1, LowerBound::log_det})
    for (const EntropyZ where : {EntropyZ::energy, EntropyZ::generator}) {
      const EbmBbConfig config{.lower = lower,
                               .upper = UpperBound::zero_centred_real,
                               .entropy_weight = 0.3,
                               .entropy_z = where,
                               .lr_energy = 0.0};
      const auto loss = [&](const V& w) {
        EbmBbState before = state(0.0);
        before.generator.parameters = w;
        return play(config, before, in).loss_generator;
      };
      const EbmBbResult r = play(config, state(0.0), in);
      SCOPED_TRACE(std::to_string(static_cast<int>(lower)) + " " + std::to_string(static_cast<int>(where)));
      expect_gradient(loss, state(0.0).generator.parameters, r.gradient_generator);
    }
}

TEST_F(ReferenceEbmBb, SurrogateGradientsHoldTheirConstants) {
  // lobpcg, the authors' variant and SLQ: the gradient is that of a function with v (and u) frozen.
  const EbmBbInputs in = inputs();
  for (const LowerBound lower :
       {LowerBound::lobpcg, LowerBound::authors, LowerBound::slq_gauss, LowerBound::slq_radau}) {
    const EbmBbConfig config{.lower = lower, .iterations = 1, .entropy_weight = 0.3};
    const EbmBbResult r = play(config, state(), in);
    EbmBbConfig without = config;
    without.entropy_weight = 0.0;
    V expected = play(without, state(), in).gradient_generator;
    Network g = state().generator.with(Statistics::running);
    g.running = r.after.generator.running;
    V values;
    for (int64_t i = 0; i < B; ++i) {
      const EntropySample& sample = r.entropy_generator[static_cast<size_t>(i)];
      const V z = in.z_generator.row(i);
      const SampleGradient part =
          sample.u.empty() ? log_s1_gradient(g, z, sample.v) : bilinear_gradient(g, z, sample.u, sample.v);
      expected = combine(1.0, expected, -0.3 / B * (sample.u.empty() ? 3 : 1), part.w_bar);
      values.push_back(sample.value);
      if (sample.u.empty()) {
        EXPECT_TRUE(close(sample.value, 3 * part.value));
      } else {
        EXPECT_TRUE(close(part.value, 3.0, {.factor = 100, .reason = "cond of J^T J"}));
      }
    }
    EXPECT_TRUE(close(r.gradient_generator, expected, {.factor = 10, .reason = "sums in another order"}));
    EXPECT_TRUE(close(r.loss_generator, play(without, state(), in).loss_generator - 0.3 * mean(values)));
  }
}

TEST_F(ReferenceEbmBb, RunningStatisticsMoveTwiceAndTheJacobianSeesTheRightOnes) {
  const EbmBbInputs in = inputs();
  const EbmBbState before = state();
  Network once = before.generator.with(Statistics::running);
  once.running = before.generator.running_after(in.z);
  Network twice = once;
  twice.running = once.running_after(in.z_generator);
  ASSERT_NE(once.running, twice.running);
  const auto exact = [](const Network& g, const V& z) {
    return std::log(smallest_singular(jacobian(g, z, g.parameters)).s);
  };

  const EbmBbResult own = play({.entropy_z = EntropyZ::generator}, before, in);
  EXPECT_EQ(own.after.generator.running, twice.running);
  const EbmBbResult shared = play({.entropy_z = EntropyZ::energy}, before, in);
  EXPECT_EQ(shared.after.generator.running, twice.running);
  EXPECT_TRUE(shared.entropy_generator.empty());
  V values;
  for (int64_t i = 0; i < B; ++i) {
    EXPECT_TRUE(close(own.entropy[i].log_s1, exact(once, in.z.row(i))));
    EXPECT_TRUE(close(own.entropy_generator[i].log_s1, exact(twice, in.z_generator.row(i))));
    EXPECT_TRUE(
        close(own.directional[i],
              directional(before.energy, as_row(before.generator.with(Statistics::batch)(in.z).row(i)),
                          before.energy.parameters,
                          as_row(jacobian_times(once, in.z.row(i), once.parameters, in.v0.row(i))))[0]));
    EXPECT_EQ(own.a.row(i), score_target(once, in.z.row(i), own.entropy[i].v));
    values.push_back(3 * exact(once, in.z.row(i)));
  }
  // the generator meets the energy after its step
  const double played =
      mean(shared.after.energy(before.generator.with(Statistics::batch)(in.z_generator)).values);
  EXPECT_TRUE(close(shared.loss_generator, played - mean(values)));
  EXPECT_NE(shared.after.energy.parameters, before.energy.parameters);
}

TEST_F(ReferenceEbmBb, Hinge) {
  const EbmBbInputs in = inputs();
  EbmBbConfig config{.penalty_weight = 0.0};
  const EbmBbResult bare = play(config, state(), in);
  EXPECT_TRUE(close(bare.loss_energy, mean(bare.energy_real) - mean(bare.energy_fake)));
  config.penalty_weight = 2.0;
  config.hinge = bare.penalty * 0.5;  // below w/2 * penalty = penalty
  const EbmBbResult active = play(config, state(), in);
  EXPECT_TRUE(close(active.loss_energy - bare.loss_energy, 0.5 * bare.penalty,
                    {.factor = 10, .reason = "difference"}));
  EXPECT_NE(active.gradient_energy, bare.gradient_energy);
  config.hinge = bare.penalty * 1.5;
  const EbmBbResult idle = play(config, state(), in);
  EXPECT_EQ(idle.loss_energy, bare.loss_energy);
  EXPECT_EQ(idle.gradient_energy, bare.gradient_energy);
}

TEST_F(ReferenceEbmBb, ZeroCentredPointsAreTheOnesNamed) {
  const EbmBbInputs in = inputs();
  const EbmBbState before = state();
  const Matrix<double> fake = before.generator.with(Statistics::batch)(in.z);
  Matrix<double> between = in.x;
  for (int64_t i = 0; i < B; ++i)
    for (int64_t j = 0; j < 4; ++j)
      between(i, j) = in.between[i] * in.x(i, j) + (1 - in.between[i]) * fake(i, j);
  const auto penalty = [&](UpperBound upper) {
    return play({.lower = LowerBound::none, .upper = upper, .penalty_weight = 0.1}, before, in);
  };
  const auto expected = [&](const Matrix<double>& x) {
    return zero_centred_penalty(before.energy, before.energy.parameters, x);
  };
  EXPECT_TRUE(close(penalty(UpperBound::zero_centred_real).penalty, expected(in.x)));
  EXPECT_TRUE(close(penalty(UpperBound::zero_centred_fake).penalty, expected(fake)));
  const EbmBbResult r = penalty(UpperBound::zero_centred_between);
  EXPECT_TRUE(close(r.penalty, expected(between)));
  EXPECT_TRUE(close(r.loss_energy, mean(r.energy_real) - mean(r.energy_fake) + 0.1 * r.penalty));
  EXPECT_TRUE(r.entropy.empty() && r.entropy_generator.empty() && r.a.values.empty());
}

TEST_F(ReferenceEbmBb, LobpcgAtItsFullDimensionPlaysAsTheExactBound) {
  // A basis of three holds all of R^3: p0 is not used, but two steps from any start reach the exact vector.
  const EbmBbInputs in = inputs();
  const EbmBbResult exact = play({.lower = LowerBound::s1}, state(), in);
  const EbmBbResult found = play({.lower = LowerBound::lobpcg, .iterations = 4}, state(), in);
  const test::Tolerance converged{.factor = 1e4, .reason = "v to the square root of theta's accuracy"};
  EXPECT_TRUE(close(found.gradient_energy, exact.gradient_energy, converged));
  EXPECT_TRUE(close(found.gradient_generator, exact.gradient_generator, converged));
  EXPECT_THROW(play({.lower = LowerBound::none}, state(), in), std::invalid_argument);
}

}  // namespace
}  // namespace ebm::reference
