// SPDX-License-Identifier: MIT
// The model of what ranks do together: by hand, and what a method asks for.
#include "kernels/recorder/interconnect.h"

#include <gtest/gtest.h>

#include "runs/scaling_forecast.h"

namespace ebm::test {
namespace {

// 100 bytes/s and 1 s a hop in a node, 10 bytes/s and 3 s a hop between; 0.5 s a call
Interconnect links(int64_t gpus, int64_t nodes) {
  return {.gpus = gpus, .nodes = nodes, .inside = {100, 1}, .between = {10, 3}, .call_seconds = 0.5};
}
double sum(const Interconnect& on, int64_t bytes, Type travel = Type::float32) {
  return on.seconds({Collective::Kind::all_reduce, bytes, travel});
}
double gather(const Interconnect& on, int64_t bytes) {
  return on.seconds({Collective::Kind::all_gather, bytes});
}

TEST(InterconnectTest, OneNodeIsARing) {
  EXPECT_DOUBLE_EQ(sum(links(4, 1), 200), 3 + 6 + 0.5);
  EXPECT_DOUBLE_EQ(sum(links(4, 1), 200, Type::bfloat16), 1.5 + 6 + 0.5);
  EXPECT_DOUBLE_EQ(gather(links(4, 1), 200), 1.5 + 3 + 0.5);
}

TEST(InterconnectTest, SeveralNodesTakeTheQuickerOfRingAndTrees) {
  EXPECT_DOUBLE_EQ(sum(links(2, 4), 4000), 700 + 8 + 18 + 0.5) << "the ring";
  EXPECT_DOUBLE_EQ(sum(links(2, 4), 400), 80 + 2 + 12 + 0.5) << "trees";
  EXPECT_DOUBLE_EQ(sum(links(2, 3), 6), 1.2 + 2 + 12 + 0.5) << "three nodes are as deep as four";
  EXPECT_DOUBLE_EQ(gather(links(2, 4), 400), 35 + 4 + 9 + 0.5) << "the ring";
  EXPECT_DOUBLE_EQ(gather(links(2, 16), 8), 1.6 + 2 + 24 + 0.5) << "trees";
}

TEST(InterconnectTest, RoundedNumbersAreHalfTheBytesBetweenNodes) {
  EXPECT_DOUBLE_EQ(sum(links(2, 4), 400, Type::bfloat16), 2 * (2 + 1) + 2 * (15 + 9) + 0.5);
  Interconnect alone = links(1, 2);
  alone.inside = {0, 0};  // nothing goes inside
  EXPECT_DOUBLE_EQ(sum(alone, 100), 10 + 6 + 0.5);
  EXPECT_DOUBLE_EQ(sum(alone, 100, Type::bfloat16), 5 + 6 + 0.5);
}

TEST(InterconnectTest, ARankAloneWaitsForNobody) {
  EXPECT_EQ(sum(links(1, 1), 1000), 0);
  EXPECT_EQ(links(4, 1).seconds({}), 0);
}

TEST(RankCostTest, WhatRunsBesideOtherWorkIsNotExposed) {
  const TimeModel model{.device = {.name = "made up",
                                   .fp32_flops = 10,
                                   .tf32_flops = 100,
                                   .bf16_flops = 200,
                                   .memory_bandwidth = 1000},
                        .launch_seconds = 0.5,
                        .links = links(4, 1)};
  const auto product = [](double flop, int branch) {
    return Launch{.name = "product", .kind = LaunchKind::product, .flop = flop, .fork = 1, .branch = branch};
  };
  const Launch reduce{.name = "all_reduce",
                      .kind = LaunchKind::collective,
                      .collective = {Collective::Kind::all_reduce, 200},
                      .fork = 1,
                      .branch = 0};  // 9.5 s and 0.5 s
  Launch after = reduce;
  after.fork = 0;
  after.collective = {Collective::Kind::all_gather, 200};  // 5 s and 0.5 s
  // Branch 0: 4.5 s and 10 s, branch 1: 8.5 s; the sum makes the fork 6 s longer.
  const RankCost cost = cost_of_ranks(model, {product(40, 0), reduce, product(80, 1), after});
  EXPECT_EQ(cost.sums, 1);
  EXPECT_EQ(cost.gathers, 1);
  EXPECT_EQ(cost.summed_bytes, 200);
  EXPECT_EQ(cost.gathered_bytes, 200);
  EXPECT_DOUBLE_EQ(cost.seconds, 10 + 5.5);
  EXPECT_DOUBLE_EQ(cost.exposed_seconds, 14.5 - 12 + 5.5);
}

class ScalingForecastTest : public testing::Test {
 protected:
  static TimeModel h100(int64_t gpus, int64_t nodes) {
    return {.device = {.name = "H100 SXM",
                       .fp32_flops = 67e12,
                       .tf32_flops = 494.5e12,
                       .bf16_flops = 989.5e12,
                       .memory_bandwidth = 3350e9},
            .launch_seconds = 1e-6,
            .links = {.gpus = gpus,
                      .nodes = nodes,
                      .inside = {450e9, 1.9e-6},
                      .between = {50e9, 4e-6},
                      .call_seconds = 1e-5}};
  }
};

TEST_F(ScalingForecastTest, SumsEachLearnersGradientOnce) {
  // And the running statistics of batch norms of their own.
  const auto recorder = make_recorder();
  SampleRun alone(*recorder, {});
  int64_t bytes = 0;
  for (const Learner* learner : alone.method().learners())
    bytes += learner->network().parameters().gradients().bytes() +
             learner->network().parameters().statistics_values().bytes();
  const ScalingForecast two = forecast_scaling(h100(2, 1), {.batch = 128});
  EXPECT_EQ(two.batch, 128);
  EXPECT_EQ(two.batch_of_gpu, 64);
  EXPECT_EQ(two.ranks.summed_bytes, bytes);
  EXPECT_EQ(two.ranks.sums, 3) << "two learners, G's running statistics";
  EXPECT_EQ(two.ranks.gathers, 10);
  EXPECT_LT(two.ranks.gathered_bytes, 10000);
  EXPECT_DOUBLE_EQ(two.images_per_second(), 128 / two.seconds);
  EXPECT_EQ(forecast_scaling(h100(2, 1), {.method = "dcgan", .batch = 128}).images, 256)
      << "two energy steps";
  EXPECT_EQ(forecast_scaling(h100(1, 1), {}).ranks.seconds, 0);
}

TEST_F(ScalingForecastTest, EnergysSumRunsBesideTheGeneratorsWorkWhereThatTakesLonger) {
  const RankCost cost = forecast_scaling(h100(2, 1), {.networks = resnet_networks(), .batch = 128}).ranks;
  EXPECT_LT(cost.exposed_seconds, 0.8 * cost.seconds);
  EXPECT_GT(cost.exposed_seconds, 0.5 * cost.seconds) << "the generator's has nothing beside it";
}

TEST_F(ScalingForecastTest, CompressionHalvesWhatGradientsTake) {
  const auto take = [](Type travel) {
    return forecast_scaling(h100(8, 2), {.batch = 1024, .gradient_travel = travel}).ranks;
  };
  const RankCost whole = take(Type::float32), half = take(Type::bfloat16);
  EXPECT_EQ(whole.summed_bytes, half.summed_bytes);
  EXPECT_LT(half.seconds, 0.75 * whole.seconds);
}

TEST(CanShareTest, IsAMultipleOfFourForEach) {
  EXPECT_TRUE(can_share(6, 1));
  EXPECT_TRUE(can_share(64, 16));
  EXPECT_FALSE(can_share(64, 32));
  EXPECT_FALSE(can_share(64, 3));
}

}  // namespace
}  // namespace ebm::test
