// SPDX-License-Identifier: MIT
// What every method promises besides its numbers, with every option that every
// method has: the same bits again, recorded, dumped, replayed or from a
// checkpoint; no allocation; the same on every device.
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "methods/small_method.h"
#include "support/allocations.h"
#include "support/tolerance.h"
#include "train/dump.h"
#include "train/run_folder.h"
#include "train/seen.h"

namespace ebm::test {
namespace {

std::vector<MethodCase> toy_cases() {
  std::vector<MethodCase> all;
  for (const MethodRow& row : methods()) {
    const std::string name = row.name;
    all.push_back({.name = name, .method = name});
    all.push_back({.name = name + "_code", .method = name, .preset = Preset::code});
    const int64_t generator_steps = name == "vera" ? 1 : 2;  // which takes its step on the energy's samples
    all.push_back({.name = name + "_steps", .method = name, .change = [=](TrainingOptions& training) {
                     training.energy_steps = 2;
                     training.generator_steps = generator_steps;
                   }});
    all.push_back({.name = name + "_schedule", .method = name, .change = [](TrainingOptions& training) {
                     training.optimiser.schedule = {
                         .kind = RateSchedule::Kind::cosine, .horizon = 9, .warm_up = 2};
                     training.optimiser.ema = 0.9;
                     training.optimiser.clip_gradient_norm = 0.01;
                     training.initial = Initial::orthogonal;
                   }});
  }
  all.push_back({.name = "ebm_bb_tuned", .method = "ebm_bb", .preset = Preset::tuned});
  all.push_back({.name = "mle", .method = "mle"});
  return all;
}

class EveryMethodTest : public IoTest,
                        public testing::WithParamInterface<std::tuple<MethodCase, std::string>> {
 protected:
  const MethodCase& method() const { return std::get<0>(GetParam()); }
  const std::string& device() const { return std::get<1>(GetParam()); }
  SmallMethod small(SmallMethod::Noise noise = SmallMethod::Noise::fresh) const {
    return SmallMethod(device(), method(), noise);
  }
};

TEST_P(EveryMethodTest, TheSameSeedGivesTheSameBits) {
  SmallMethod first = small(), second = small(), recorded = small();
  const auto graph = recorded.kernels->capture([&] { recorded.trained->iterate(); });
  const int64_t allocations = first.kernels->allocations();
  const auto initial = first.everything();
  for (int iteration = 0; iteration < 3; ++iteration) {
    first.trained->iterate();
    second.trained->iterate();
    graph->launch();
  }
  EXPECT_EQ(first.kernels->allocations(), allocations) << "an iteration allocates nothing";
  const auto all = first.everything();
  EXPECT_NE(all, initial);
  EXPECT_EQ(second.everything(), all);
  EXPECT_EQ(recorded.everything(), all);
  for (const std::vector<float>& array : all)
    for (const float x : array) ASSERT_TRUE(std::isfinite(x));

  MethodCase another = method();
  another.change = [change = method().change](TrainingOptions& training) {
    change(training);
    training.seed = 2;
  };
  SmallMethod other(device(), another);
  for (int iteration = 0; iteration < 3; ++iteration) other.trained->iterate();
  EXPECT_NE(other.everything(), all);
}

TEST_P(EveryMethodTest, ADumpChangesNothingAndReplaysToTheBit) {
  SmallMethod dumped = small(), plain = small();
  dumped.trained->iterate();
  dump_iteration(*dumped.trained, {}, *this / "dump.h5");
  plain.trained->iterate();
  plain.trained->iterate();
  EXPECT_EQ(dumped.everything(), plain.everything());

  const Hdf5File file = Hdf5File::open_read(*this / "dump.h5", Hdf5File::Strings::variable);
  SmallMethod again = small(SmallMethod::Noise::recorded);
  for (const std::string& name : file.list("inputs")) {
    const Hdf5Array<float> array = file.read_dataset<float>("inputs/" + name);
    const int64_t rows = array.dims.at(0);
    again.recorded.record(name, {rows, std::ssize(array.values) / rows, array.values});
  }
  again.trained->iterate();  // data: those of the second iteration
  read_state(file, *again.trained, "before/");
  again.trained->iterate();
  EXPECT_EQ(again.everything(), dumped.everything());
  read_state(file, *again.trained, "after/");
  EXPECT_EQ(again.everything(), dumped.everything());
}

TEST_P(EveryMethodTest, FromACheckpointItGoesOnToTheBit) {
  SmallMethod whole = small(), first = small(), second = small();
  for (int iteration = 0; iteration < 4; ++iteration) whole.trained->iterate();
  for (int iteration = 0; iteration < 2; ++iteration) first.trained->iterate();
  const RunFolder folder(*this / "run");
  folder.save(*first.trained, {.iteration = 2}, 1);
  second.trained->iterate();  // something else
  restore(folder.checkpoint(2), *second.trained);
  for (int iteration = 0; iteration < 2; ++iteration) second.trained->iterate();
  EXPECT_EQ(second.everything(), whole.everything());
}

/// Samples and measures are of the average where there is one.
TEST_P(EveryMethodTest, WhatIsEvaluatedIsTheAverage) {
  SmallMethod run = small();
  for (int iteration = 0; iteration < 2; ++iteration) run.trained->iterate();
  for (Learner* learner : run.trained->learners()) {
    EXPECT_EQ(&learner->evaluated() == &learner->network(), learner->average() == nullptr);
    if (learner->average() == nullptr) continue;
    const auto values = [&](const Network& network) {
      return download(*run.kernels, network.parameters().values());
    };
    EXPECT_NE(values(learner->network()), values(*learner->average())) << learner->name();
    // After these learners' steps VERA's posterior runs g once more, SNGAN's
    // generator step the energy.
    const std::string name = method().method + " " + learner->name();
    if (name == "vera generator" || name == "sngan energy") continue;
    EXPECT_EQ(download(*run.kernels, learner->network().parameters().statistics_values()),
              download(*run.kernels, learner->average()->parameters().statistics_values()));
  }
}

TEST_P(EveryMethodTest, TheMeasuredGeneratorIsTheOneThatSamples) {
  SmallMethod run = small();
  if (method().method == "mle") GTEST_SKIP() << "no generator";
  Network* first = nullptr;
  for (int iteration = 0; iteration < 2; ++iteration) {
    run.trained->iterate();
    Network& measured = run.trained->measured_generator();
    if (first == nullptr) first = &measured;
    EXPECT_EQ(&measured, first);
    const std::vector<float> z = download(*run.kernels, run.trained->data_points());
    NetworkSampler sampler(*run.kernels, measured, 4);
    EXPECT_TRUE(close(sampler.samples(z), run.trained->sampler(4)->samples(z)));
  }
}

class CpuEveryMethodTest : public EveryMethodTest {};

TEST_P(CpuEveryMethodTest, NothingIsNew) {
  SmallMethod run = small();
  run.trained->iterate();  // makes workspaces of products and sums
  const auto before = operator_new_calls();
  run.trained->iterate();
  run.trained->iterate();
  EXPECT_EQ(operator_new_calls(), before);
}

std::string case_name(const testing::TestParamInfo<std::tuple<MethodCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}
INSTANTIATE_TEST_SUITE_P(All, EveryMethodTest,
                         testing::Combine(testing::ValuesIn(toy_cases()), testing::ValuesIn(devices())),
                         case_name);
INSTANTIATE_TEST_SUITE_P(All, CpuEveryMethodTest,
                         testing::Combine(testing::ValuesIn(toy_cases()), testing::Values("cpu")), case_name);

/// Some iterations of the same draws. Adam would make whole steps of a gradient
/// that is rounding noise, such as that of the energy's last bias: not so with
/// this epsilon.
void expect_devices_agree(const MethodCase& method, const std::string& device, int iterations,
                          double factor) {
  SmallMethod here("cpu", method), there(device, method);
  const auto values = [](SmallMethod& run) {
    std::vector<std::vector<float>> all;
    for (const Learner* learner : run.trained->learners())
      all.push_back(download(*run.kernels, learner->network().parameters().values()));
    return all;
  };
  const std::vector<std::vector<float>> initial = values(here);
  for (int iteration = 0; iteration < iterations; ++iteration) {
    here.trained->iterate();
    there.trained->iterate();
  }
  const std::vector<float> expected = here.trained->numbers().download().numbers,
                           actual = there.trained->numbers().download().numbers;
  const std::vector<Numbers::Entry>& entries = here.trained->numbers().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-2 * std::max(1.0, std::abs(double{expected[i]})))
        << entries[i].name;
  }
  // What all steps together changed: beside the parameters it is so small that
  // no tolerance would see an error.
  const Tolerance tolerance{.factor = factor, .reason = "roundings of many iterations, which Adam magnifies"};
  const std::vector<std::vector<float>> of_cpu = values(here), of_device = values(there);
  for (size_t i = 0; i < of_cpu.size(); ++i) {
    std::vector<double> update;
    std::vector<float> found;
    for (size_t k = 0; k < of_cpu[i].size(); ++k) {
      update.push_back(double{of_cpu[i][k]} - initial[i][k]);
      found.push_back(of_device[i][k] - initial[i][k]);
    }
    EXPECT_TRUE(close(found, update, tolerance)) << here.trained->learners()[i]->name();
  }
}

class DevicesAgreeTest : public testing::TestWithParam<std::tuple<MethodCase, std::string>> {};

TEST_P(DevicesAgreeTest, OverTwentyIterations) {
  const auto& [method, device] = GetParam();
  expect_devices_agree(method, device, 20, 1 << 15);
}

/// Those that take long on the CPU.
class LargeDevicesAgreeTest : public DevicesAgreeTest {};

TEST_P(LargeDevicesAgreeTest, OverThreeIterations) {
  const auto& [method, device] = GetParam();
  expect_devices_agree(method, device, 3, 1 << 12);
}

void calm(TrainingOptions& training) {
  training.optimiser.adam.epsilon = 1e-3;
}

std::vector<MethodCase> image_cases() {
  std::vector<MethodCase> all;
  for (const MethodRow& row : methods()) {
    all.push_back({.name = std::string("toy_") + row.name, .method = row.name, .change = calm});
    all.push_back({.name = std::string("mlp_") + row.name,
                   .method = row.name,
                   .networks = mlp_networks(),
                   .change = calm});
    all.push_back({.name = std::string("dcgan_") + row.name,
                   .method = row.name,
                   .networks = dcgan_networks(),
                   .change = calm});
  }
  return all;
}

/// The networks of the methods' own code, and those of images of 64 x 64.
std::vector<MethodCase> large_image_cases() {
  const auto calm_and_short = [](TrainingOptions& training) {
    calm(training);
    training.energy_steps = std::min<int64_t>(training.energy_steps, 2);
  };
  std::vector<MethodCase> all;
  for (const MethodRow& row : methods()) {
    const std::string name = row.name;
    const bool gan = name == "dcgan" || name == "sngan";
    MethodCase method;
    method.method = name;
    method.change = calm_and_short;
    if (gan) method.options = {{"generator_batch", 0}};
    method.name = "resnet_" + name;
    method.networks = resnet_networks();
    all.push_back(method);
    if (!gan && name != "meg" && name != "vera") continue;
    method.name = "own_" + name;
    method.networks = name == "meg" ? mlp_networks() : dcgan_networks();
    method.preset = Preset::code;  // whose networks are those of the method's own code
    all.push_back(method);
  }
  return all;
}
std::vector<std::string> other_devices() {
  std::vector<std::string> names = devices_with_convolutions();
  std::erase(names, "cpu");
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, DevicesAgreeTest,
                         testing::Combine(testing::ValuesIn(image_cases()),
                                          testing::ValuesIn(other_devices())),
                         case_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DevicesAgreeTest);
INSTANTIATE_TEST_SUITE_P(All, LargeDevicesAgreeTest,
                         testing::Combine(testing::ValuesIn(large_image_cases()),
                                          testing::ValuesIn(other_devices())),
                         case_name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LargeDevicesAgreeTest);

}  // namespace
}  // namespace ebm::test
