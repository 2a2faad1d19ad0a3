// SPDX-License-Identifier: MIT
#include "metrics/mode_counting.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "metrics/metrics_fixture.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

TEST(ModeCountingTest, AsTheGoldenCounts) {
  const MetricsGolden golden("modes");
  const std::vector<int64_t> digits = golden.integers("digits"), training = golden.integers("training");
  const CountedModes uniform = uniform_modes(digits);
  EXPECT_EQ(uniform.modes, golden.integers("modes").at(0));
  EXPECT_TRUE(close(uniform.kl, golden.number("kl_uniform")));

  const CountedModes vera =
      labelled_modes({digits, DigitOrder::first_is_highest}, {training, DigitOrder::first_is_lowest});
  EXPECT_EQ(vera.modes, uniform.modes);
  EXPECT_TRUE(close(vera.kl, golden.number("kl_vera")));
  EXPECT_TRUE(close(labelled_modes({digits}, {training}).kl, golden.number("kl_matched")));
}

TEST(ModeCountingTest, ByHand) {
  const std::vector<int64_t> even{0, 0, 0, 1, 1, 0, 1, 1}, one{1, 0, 1, 0};
  const DigitShape shape{.channels = 2, .classes = 2};
  EXPECT_EQ(uniform_modes(even, shape).modes, 4);
  EXPECT_EQ(uniform_modes(even, shape).kl, 0.0);
  EXPECT_EQ(uniform_modes(one, shape).modes, 1);
  EXPECT_TRUE(close(uniform_modes(one, shape).kl, std::log(4.0)));
  // All in a mode of which the training set has nothing: no finite ratio, so 0, as VERA's code has it.
  EXPECT_EQ(labelled_modes({one}, {one, DigitOrder::first_is_lowest}, shape).kl, 0.0);
}

TEST(ModeCountingTest, WhatCannotBeCounted) {
  const std::vector<int64_t> cut{1, 2, 3, 4}, wrong{1, 2, 10}, negative{1, -1, 2}, good{1, 2, 3};
  expect_refusal([&] { uniform_modes({}); }, "0 digits are no samples of 3 channels");
  expect_refusal([&] { uniform_modes(cut); }, "4 digits are no samples");
  expect_refusal([&] { uniform_modes(wrong); }, "sample 0 has the digit 10");
  expect_refusal([&] { uniform_modes(negative); }, "the digit -1");
  expect_refusal([&] { labelled_modes({good}, {{}}); }, "the training digits: 0 digits");
  expect_refusal([&] { uniform_modes(good, {.channels = 3, .classes = 0}); }, "not between 1 and 2^24");
  expect_refusal([&] { uniform_modes(good, {.channels = 30, .classes = 10}); }, "not between 1 and 2^24");
}

}  // namespace
}  // namespace ebm::test
