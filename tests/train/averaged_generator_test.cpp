// SPDX-License-Identifier: MIT
// An averaged generator's batch norms have statistics of its own layers.
#include "train/averaged_generator.h"

#include "trainer_fixture.h"

namespace ebm::test {
namespace {

class AveragedGeneratorTest : public testing::TestWithParam<std::string> {
 protected:
  static EbmBbOptions options(double ema) {
    EbmBbOptions options = SmallEbmBb::small_options();
    options.training.batch = 64;
    options.training.optimiser.ema = ema;
    return options;
  }
  static const Parameter& named(const std::deque<Parameter>& parameters, const std::string& name) {
    return *std::find_if(parameters.begin(), parameters.end(),
                         [&](const Parameter& p) { return p.name == name; });
  }
  static std::vector<float> numbers(Kernels& kernels, const Parameter& parameter) {
    std::vector<float> values(static_cast<size_t>(parameter.size));
    kernels.download(values.data(), parameter.value, parameter.size * static_cast<int64_t>(sizeof(float)));
    return values;
  }
  static void set(Kernels& kernels, const Parameter& parameter, const std::vector<float>& values) {
    kernels.upload(parameter.value, values.data(), parameter.size * static_cast<int64_t>(sizeof(float)));
  }
};

// With slope 1 a PReLU is the identity, so that the first batch norm sees W z + b: means b, variances |w|^2.
TEST_P(AveragedGeneratorTest, HasItsOwnStatistics) {
  SmallEbmBb sample(GetParam(), options(0.99));
  Kernels& kernels = *sample.kernels;
  sample.ebm_bb.iterate();
  const Parameters& average = sample.ebm_bb.learner("generator").evaluated().parameters();
  std::vector<float> weight = numbers(kernels, named(average.trainable(), "main.0.weight"));
  for (float& w : weight) w *= 3;
  set(kernels, named(average.trainable(), "main.0.weight"), weight);
  set(kernels, named(average.trainable(), "main.1.weight"), {1});
  const std::vector<float> trained =
      numbers(kernels, named(sample.generator.parameters().statistics(), "main.2.running_var"));

  AveragedGenerator averaged(sample.ebm_bb);
  averaged.settle(1);
  const std::vector<float> bias = numbers(kernels, named(average.trainable(), "main.0.bias"));
  const std::vector<float> mean = numbers(kernels, named(average.statistics(), "main.2.running_mean"));
  const std::vector<float> var = numbers(kernels, named(average.statistics(), "main.2.running_var"));
  const size_t d = weight.size() / bias.size();
  for (size_t c = 0; c < bias.size(); ++c) {
    double expected = 0;
    for (size_t i = 0; i < d; ++i)
      expected += static_cast<double>(weight[c * d + i]) * static_cast<double>(weight[c * d + i]);
    // About 19 batches count: 1,200 samples.
    EXPECT_NEAR(mean[c], bias[c], 0.15 * std::sqrt(expected)) << "channel " << c;
    EXPECT_NEAR(var[c], expected, 0.2 * expected) << "channel " << c;
  }
  EXPECT_EQ(numbers(kernels, named(sample.generator.parameters().statistics(), "main.2.running_var")),
            trained);

  averaged.settle(2);
  EXPECT_EQ(numbers(kernels, named(average.statistics(), "main.2.running_var")), var) << "the same each time";
}

TEST_P(AveragedGeneratorTest, LeavesAGeneratorWithoutAverageAlone) {
  SmallEbmBb sample(GetParam(), options(0));
  sample.ebm_bb.iterate();
  sample.generator.reset_passes();
  const int64_t allocations = sample.kernels->allocations();
  AveragedGenerator(sample.ebm_bb).settle(1);
  EXPECT_EQ(sample.kernels->allocations(), allocations);
  EXPECT_EQ(sample.generator.passes().total(), 0);
}

INSTANTIATE_TEST_SUITE_P(Devices, AveragedGeneratorTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
