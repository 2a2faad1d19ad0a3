// SPDX-License-Identifier: MIT
// The mean of the lower bound over a batch, and the shares of samples that are good and at the floor.
#include <gtest/gtest.h>

#include "support/devices.h"

namespace ebm::test {
namespace {

class EntropyMeanTest : public testing::TestWithParam<std::string> {};

TEST_P(EntropyMeanTest, TellsGoodSamplesFromThoseAtTheFloor) {
  const auto kernels = open_device(GetParam());
  struct Samples {
    std::vector<float> value, good, floored;
    std::vector<float> expected;  // mean, factor, share_good, share_floored
  };
  // Bad samples have no value, whatever is stored; those at the floor have the floor's.
  const Samples cases[] = {{{1, 2, 3, 4, 6}, {1, 1, 1, 1, 1}, {0, 0, 0, 0, 0}, {3.2f, -0.1f, 1, 0}},
                           {{1, 2, 3, -90, 7}, {1, 1, 1, 1, 0}, {0, 0, 0, 1, 0}, {-21, -0.125f, 0.6f, 0.2f}},
                           {{-90, -90, -90, -90, -90}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {-90, -0.1f, 0, 1}},
                           {{1, 1, 1, 1, 1}, {0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}, {0, 0, 0, 0}}};
  for (const Samples& samples : cases) {
    const Buffer<float> value(*kernels, samples.value), good(*kernels, samples.good),
        floored(*kernels, samples.floored), found(*kernels, 4);
    kernels->run(EntropyMean{.samples = 5,
                             .entropy_weight = 0.5f,
                             .value = value.data(),
                             .good = good.data(),
                             .floored = floored.data(),
                             .mean = found.data(),
                             .factor = found.data() + 1,
                             .share_good = found.data() + 2,
                             .share_floored = found.data() + 3});
    EXPECT_EQ(found.download(), samples.expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, EntropyMeanTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
