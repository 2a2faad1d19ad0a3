// SPDX-License-Identifier: MIT
// The bounds' Jacobian in whole iterations: true float32 whatever --precision says of the rest. The generator's J
// is so ill conditioned that a product in TF32, or an activation of bfloat16, leaves nothing of log s1.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "bounds/bounds_fixture.h"
#include "support/oracle_options.h"
#include "support/recorded.h"
#include "support/rounded_products.h"
#include "train/seen.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 5, d = 4, D = 5;

struct PrecisionCase {
  std::string name;
  Precision precision;
  EntropyBoundOptions lower;
};

std::vector<PrecisionCase> precision_cases() {
  using enum EntropyBoundKind;
  std::vector<PrecisionCase> cases;
  for (const auto& [suffix, precision] :
       {std::pair{"Fp32", Precision::full}, std::pair{"Tf32", Precision::training},
        std::pair{"Bf16", Precision::bfloat16}}) {
    const auto add = [&](const std::string& name, const EntropyBoundOptions& lower) {
      cases.push_back({name + suffix, precision, lower});
    };
    add("S1", {.kind = s1});
    add("Lobpcg", {.kind = lobpcg, .lobpcg_iterations = 20});
    add("LogDet", {.kind = logdet});
    add("Slq", {.kind = slq, .lanczos_pairs = 3});
  }
  return cases;
}

/// What an iteration says of the energy step's points, and the oracle at the same J.
struct Compared {
  std::vector<float> value, log_s1, jv0;
  std::vector<double> expected_value, expected_log_s1, expected_jv0;
  double condition = 1;
};

class JacobianOfAnIterationTest : public testing::TestWithParam<std::tuple<PrecisionCase, std::string>> {
 protected:
  JacobianOfAnIterationTest() {
    options_.training.batch = batch;
    options_.lower = case_.lower;
    options_.upper = {.kind = EnergyPenaltyKind::bidirectional, .weight = 2, .hinge = 0};
    options_.entropy_points = EntropyPoints::energy;
    options_.training.precision = case_.precision;
  }

  /// Products that are asked for at Precision::training, though not by the method.
  enum class Rounded { nothing, the_jacobian };

  /// An energy step, which takes the lower bound at its points.
  Compared play(Rounded rounded) {
    const auto kernels = make_rounded_products(open_device(device_));
    const reference::Network energy =
        random_network(reference::table6_energy(D, 7), reference::Statistics::batch, 8);
    reference::Network oracle = generator_of_condition(d, D, Output::tanh, 1e4);
    reference::Random random(3);
    const Rows x = random_rows(random, batch, D), z = random_rows(random, batch, d),
               v0 = random_rows(random, batch, d);
    RecordedNoise noise(*kernels);
    for (const char* name : {"z", "z_generator"}) noise.record(name, z);
    noise.record("v0", v0);
    RecordedData data(*kernels, x);
    EbmBb ebm_bb(*kernels,
                 {.energy = [&] { return layers_of(energy.layers, flat(D)); },
                  .generator = [&] { return layers_of(oracle.layers, flat(d)); }},
                 data, options_, &noise);
    load(*kernels, ebm_bb.energy(), energy);
    load(*kernels, ebm_bb.generator(), oracle);
    kernels->restart([rounded](int64_t) { return rounded == Rounded::the_jacobian; });

    Seen seen(*kernels);
    seen.at = [&](const std::string& name) {
      if (name != "entropy") return;  // J is as x~ has left the statistics
      const std::vector<float> running = running_statistics(*kernels, ebm_bb.generator());
      oracle.running = {running.begin(), running.end()};
    };
    ebm_bb.iterate(seen);
    Compared found;
    found.value = seen.results.at("entropy");
    found.log_s1 = seen.results.at("log_s1");
    found.jv0 = seen.results.at("jv0");
    add_oracle(oracle, z, v0, found);
    return found;
  }

  void add_oracle(const reference::Network& g, const Rows& z, const Rows& v0, Compared& found) const {
    reference::EbmBbConfig config;
    set_lower_bound(config, case_.lower);
    for (int64_t b = 0; b < batch; ++b) {
      const auto sample = entropy_sample(config, g, z.row(b), v0.row(b), {});
      found.expected_value.push_back(sample.value);
      found.expected_log_s1.push_back(std::log(smallest_singular(jacobian(g, z.row(b), g.parameters)).s));
      const auto jv0 = jacobian_times(g, z.row(b), g.parameters, v0.row(b));
      found.expected_jv0.insert(found.expected_jv0.end(), jv0.begin(), jv0.end());
    }
    found.condition = worst_condition(g, z);
  }

  static double worst(const std::vector<float>& actual, const std::vector<double>& expected) {
    double worst = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      const double error = std::abs(actual.at(i) - expected[i]);
      worst = error <= worst ? worst : std::isnan(error) ? HUGE_VAL : error;
    }
    return worst;
  }

  const PrecisionCase& case_ = std::get<0>(GetParam());
  const std::string& device_ = std::get<1>(GetParam());
  EbmBbOptions options_;
};

TEST_P(JacobianOfAnIterationTest, IsTrueFloat32) {
  const Compared found = play(Rounded::nothing);
  EXPECT_GT(found.condition, 1e4);
  EXPECT_LT(found.condition, 1e6);
  // What float32 makes of log s1. h of `slq` has small weights of its own beside it, which lose as much.
  const bool slq = case_.lower.kind == EntropyBoundKind::slq;
  const double near = 3e-7 * found.condition, near_value = slq ? 0.3 : d * near;
  EXPECT_LE(worst(found.value, found.expected_value), near_value);
  EXPECT_TRUE(slq || worst(found.log_s1, found.expected_log_s1) <= near);
  EXPECT_TRUE(close(found.jv0, found.expected_jv0, {.factor = 4, .reason = "several layers"}));
  if (device_ != "emulated_tf32") return;  // a CPU has no TF32, and a GPU need not use it for so little

  const Compared rounded = play(Rounded::the_jacobian);
  EXPECT_GE(worst(rounded.value, rounded.expected_value), 5 * near_value);
  EXPECT_TRUE(slq || worst(rounded.log_s1, rounded.expected_log_s1) >= 10 * near);
  EXPECT_FALSE(close(rounded.jv0, rounded.expected_jv0, {.factor = 40, .reason = "far off"}));
}

INSTANTIATE_TEST_SUITE_P(Tf32, JacobianOfAnIterationTest,
                         testing::Combine(testing::ValuesIn(precision_cases()),
                                          testing::ValuesIn(cpu_and_devices_with_tf32())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
                         });

}  // namespace
}  // namespace ebm::test
