// SPDX-License-Identifier: MIT
// The golden files of tests/golden/: PyTorch's iterations, played here with the same draws from the same
// state.
#include <gtest/gtest.h>

#include <tuple>

#include "support/devices.h"
#include "support/golden.h"
#include "train/played.h"

namespace ebm::test {
namespace {

class GoldenTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

ExpectedIteration expected_of(const GoldenIteration& golden, const EbmBb& ebm_bb, const Parameters& energy,
                              const Parameters& generator) {
  ExpectedIteration expected;
  for (const char* name :
       {"energy_real", "energy_fake", "directional", "a", "v", "log_s1", "entropy", "v_generator",
        "log_s1_generator", "entropy_generator", "penalty", "loss_energy", "loss_generator"}) {
    const std::string path = std::string("results/") + name;
    if (golden.has(path)) expected.results[name] = golden.values(path);
  }
  expected.energy_gradient = golden.gathered("gradients/energy/", energy.trainable());
  expected.generator_gradient = golden.gathered("gradients/generator/", generator.trainable());
  expected.running = golden.gathered("after/generator/", generator.statistics());
  reference::Network oracle = golden.generator_oracle(generator).with(reference::Statistics::running);
  oracle.running = oracle.running_after(golden.input("inputs/z"));
  if (!ebm_bb.draws().find("v0").empty())
    expected.spectra["v"] = spectra_of(oracle, golden.input("inputs/z"));
  oracle.running = oracle.running_after(golden.input("inputs/z_generator"));
  if (!ebm_bb.draws().find("v0_generator").empty())
    expected.spectra["v_generator"] = spectra_of(oracle, golden.input("inputs/z_generator"));
  return expected;
}

/// PyTorch's step, to float64: that the oracle's Adam, which the played steps are held against, is PyTorch's.
void expect_pytorchs_adam(const GoldenIteration& golden, const std::string& network,
                          const Parameters& parameters, double lr, const AdamOptions& adam,
                          int64_t steps_before) {
  const auto of = [&](const std::string& folder) { return golden.gathered(folder, parameters.trainable()); };
  reference::Moments moments{.exp_avg = of("before/adam/" + network + "/exp_avg/"),
                             .exp_avg_sq = of("before/adam/" + network + "/exp_avg_sq/"),
                             .step = steps_before};
  std::vector<double> w = of("before/" + network + "/");
  adam_step(w, of("gradients/" + network + "/"), moments, lr, adam.beta1, adam.beta2, adam.epsilon);
  EXPECT_TRUE(close(w, of("after/" + network + "/")));
  EXPECT_TRUE(close(moments.exp_avg, of("after/adam/" + network + "/exp_avg/")));
  EXPECT_TRUE(close(moments.exp_avg_sq, of("after/adam/" + network + "/exp_avg_sq/")));
}

TEST_P(GoldenTest, ThreeIterations) {
  const auto& [name, device] = GetParam();
  for (int64_t iteration = 1; iteration <= 3; ++iteration) {
    SCOPED_TRACE("iteration " + std::to_string(iteration));
    const GoldenIteration golden(name, iteration);
    const auto kernels = open_device(device);
    RecordedNoise noise(*kernels);
    golden.record(noise);
    RecordedData data(*kernels, golden.input("inputs/x"));
    EbmBb ebm_bb(*kernels, golden.networks(), data, golden.options(), &noise);
    golden.restore(ebm_bb);

    const Parameters &energy = ebm_bb.energy().parameters(), &generator = ebm_bb.generator().parameters();
    const Played played = play(ebm_bb);
    expect_iteration(ebm_bb, played, expected_of(golden, ebm_bb, energy, generator));
    const TrainingOptions& options = ebm_bb.training();
    expect_pytorchs_adam(golden, "energy", energy, options.lr_energy, options.optimiser.adam,
                         played.energy.moments_before.step);
    expect_pytorchs_adam(golden, "generator", generator, options.lr_generator, options.optimiser.adam,
                         played.generator.moments_before.step);
  }
}

TEST(GoldenFiles, AreThere) {
  EXPECT_GE(golden_names().size(), 12u) << "no tests/golden above the test program";
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTest,
                         testing::Combine(testing::ValuesIn(golden_names()), testing::ValuesIn(devices())),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param);
                         });

}  // namespace
}  // namespace ebm::test
