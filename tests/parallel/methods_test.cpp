// SPDX-License-Identifier: MIT
// Whole methods: ranks, a thread each, that share every batch end where one rank ends.
#include <gtest/gtest.h>

#include "rank_cases.h"
#include "runs/data.h"
#include "support/tolerance.h"
#include "thread_ranks.h"
#include "train/follower.h"

namespace ebm::test {
namespace {

Trained train_on_cpu(const RankCase& of, const TrainingOptions& options, int64_t iterations) {
  return train(of, *open_device("cpu"), options, iterations);
}

/// What each of `size` ranks ends with.
std::vector<Trained> train_ranks(const RankCase& of, int64_t size, int64_t iterations) {
  std::vector<Trained> all(static_cast<size_t>(size));
  run_ranks(size, [&](Communicator* ranks) {
    all.at(ranks == nullptr ? 0 : static_cast<size_t>(ranks->rank())) =
        train_on_cpu(of, training(of, ranks), iterations);
  });
  return all;
}

class RankMethodsTest : public testing::TestWithParam<RankCase> {};

TEST_P(RankMethodsTest, AnyNumberOfRanksEndsWhereOneEnds) {
  constexpr int64_t iterations = 20;
  const Trained whole = train_ranks(GetParam(), 1, iterations).front();
  for (const int64_t size : {2, 4}) {
    SCOPED_TRACE(size);
    const std::vector<Trained> ranks = train_ranks(GetParam(), size, iterations);
    for (const Trained& rank : ranks) {
      EXPECT_EQ(rank.state, ranks.front().state) << "ranks stay together";
      EXPECT_EQ(rank.numbers, ranks.front().numbers);
    }
    const Tolerance tolerance{.factor = 512, .reason = "roundings of sixty steps of Adam"};
    EXPECT_TRUE(close(ranks.front().state, whole.state, tolerance));
    EXPECT_TRUE(close(ranks.front().numbers, whole.numbers, tolerance));
    EXPECT_EQ(train_ranks(GetParam(), size, 3).back().state, train_ranks(GetParam(), size, 3).front().state)
        << "the same bits again";
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, RankMethodsTest, testing::ValuesIn(rank_cases()),
                         [](const auto& info) { return info.param.name; });

// --- batch norms of their own

TEST(RankStatisticsTest, OfRanksOfTheirOwnBecomeTheirMean) {
  const RankCase of = dcgan_case();
  constexpr int64_t size = 2;
  std::vector<Trained> all(size);
  std::vector<float> together = train_ranks(of, size, 2).front().state;
  run_ranks(size, [&](Communicator* ranks) {
    TrainingOptions options = training(of, ranks);
    options.optimiser.sync_batch_norm = false;
    all.at(static_cast<size_t>(ranks->rank())) = train_on_cpu(of, options, 2);
  });
  EXPECT_EQ(all[0].state, all[1].state);
  EXPECT_NE(all[0].state, together) << "their batches are not one";
}

// --- gradients that travel rounded

TEST(RankCompressionTest, RanksStayTogetherAndGiveTheSameBitsAgain) {
  const RankCase of = ebm_bb_case("ebm_bb", Norms::batch, [](EbmBbOptions&) {});
  constexpr int64_t size = 4;
  const auto states = [&](Type travel) {
    std::vector<std::vector<float>> all(size);
    run_ranks(size, [&](Communicator* ranks) {
      TrainingOptions options = training(of, ranks);
      options.optimiser.gradient_travel = travel;
      all.at(static_cast<size_t>(ranks->rank())) = train_on_cpu(of, options, 3).state;
    });
    return all;
  };
  const auto rounded = states(Type::bfloat16);
  for (const std::vector<float>& state : rounded) EXPECT_EQ(state, rounded[0]);
  EXPECT_EQ(states(Type::bfloat16), rounded);
  const std::vector<float> whole = states(Type::float32)[0];
  EXPECT_NE(whole, rounded[0]);
  EXPECT_TRUE(close(rounded[0], whole, {.factor = 0x1p16, .reason = "bfloat16's epsilon over float32's"}));
}

TEST(RankBatchTest, MustDivide) {
  EXPECT_EQ(rank_batch(12, nullptr), 12);
  run_ranks(3, [](Communicator* ranks) {
    EXPECT_EQ(rank_batch(12, ranks), 4);
    EXPECT_THROW(rank_batch(13, ranks), UsageError);
  });
}

// --- the state of rank 0

TEST(RankStateTest, BecomesThatOfAll) {
  const RankCase of = rank_cases().at(2);  // with a running Gram matrix
  std::vector<std::vector<float>> states(3);
  run_ranks(3, [&](Communicator* ranks) {
    const auto kernels = open_device("cpu");
    TrainingOptions options = training(of, nullptr);
    options.batch = 12;
    options.seed = 5 + ranks->rank();
    const auto data = make_toy_data(*kernels, ToyDataset::gaussians25, options);
    options.optimiser.ranks = ranks;
    const auto method = of.make(*kernels, *data, options);
    method->initialize();
    for (const ExtraState& extra : method->extra_state())
      extra.values->upload(std::vector<double>(static_cast<size_t>(extra.values->size()),
                                               static_cast<double>(ranks->rank()) + 2));
    const uint64_t iteration = ranks->rank() == 0 ? 17 : 0;
    method->iteration().upload(std::span<const uint64_t>(&iteration, 1));
    int64_t done = 0;
    share_state(*method, done);
    EXPECT_EQ(done, 17);
    std::vector<float>& state = states.at(static_cast<size_t>(ranks->rank()));
    for (Learner* learner : method->learners()) {
      append(state, *kernels, learner->network());
      append(state, *kernels, *learner->average());
    }
    EXPECT_EQ(method->extra_state().at(0).values->download().at(1), 2);
  });
  EXPECT_EQ(states[0], states[1]);
  EXPECT_EQ(states[0], states[2]);
}

}  // namespace
}  // namespace ebm::test
