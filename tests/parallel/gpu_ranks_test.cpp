// SPDX-License-Identifier: MIT
// Ranks with a GPU each, over NCCL: sums and gathers, whole methods, and ranks that fail.
#include "gpu_ranks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "rank_cases.h"
#include "reference/random.h"
#include "runs/data.h"
#include "support/tolerance.h"
#include "train/follower.h"

namespace ebm::test {
namespace {

class GpuRanksTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_missing("emulated").empty()) GTEST_SKIP() << why_missing("emulated");
  }
};

std::vector<float> normals(uint32_t seed, int64_t count) {
  reference::Random random{seed};
  const std::vector<double> values = random.normals(count);
  return {values.begin(), values.end()};
}

// --- operations

/// What each rank's `own` becomes by a sum that is recorded between two others on both lanes.
std::vector<std::vector<float>> recorded_sums(const std::vector<std::vector<float>>& own, Type travel) {
  std::vector<std::vector<float>> sums(own.size());
  run_gpu_ranks(std::ssize(own), [&](Kernels& kernels, Communicator* ranks) {
    const auto rank = static_cast<size_t>(ranks->rank());
    const Buffer<float> values(kernels, own[rank]), first(kernels, std::vector<float>{1}),
        second(kernels, std::vector<float>{static_cast<float>(rank)});
    const auto graph = kernels.capture([&] {
      kernels.concurrently(
          [&] {
            ranks->all_reduce({first.data(), 1, flat(1)}, Type::float32);
            ranks->all_reduce({values.data(), 1, flat(values.size())}, travel);
          },
          [&] {
            ranks->all_reduce({second.data(), 1, flat(1)}, Type::float32);
          });
    });
    EXPECT_EQ(values.download(), own[rank]) << "recording runs nothing";
    graph->launch();
    sums[rank] = values.download();
    EXPECT_EQ(first.download()[0], static_cast<float>(ranks->size()));
    const auto n = static_cast<float>(ranks->size());
    EXPECT_EQ(second.download()[0], n * (n - 1) / 2);
  });
  return sums;
}

TEST_F(GpuRanksTest, SumsAreThoseOfAllOnEachOfThem) {
  constexpr int64_t count = 1013;
  for (const int64_t size : {2, 3}) {
    std::vector<std::vector<float>> own;
    for (int64_t rank = 0; rank < size; ++rank)
      own.push_back(normals(static_cast<uint32_t>(rank + 5), count));
    const auto whole = recorded_sums(own, Type::float32), rounded = recorded_sums(own, Type::bfloat16);
    std::vector<std::vector<float>> on_cpu = own;
    run_ranks(size, [&](Communicator* ranks) {
      std::vector<float>& mine = on_cpu[static_cast<size_t>(ranks->rank())];
      ranks->all_reduce({mine.data(), 1, flat(count)}, Type::bfloat16);
    });
    for (int64_t i = 0; i < count; ++i) {
      double sum = 0, magnitudes = 0;
      for (const std::vector<float>& of_rank : own) {
        sum += of_rank[static_cast<size_t>(i)];
        magnitudes += std::abs(of_rank[static_cast<size_t>(i)]);
      }
      EXPECT_NEAR(whole[0][static_cast<size_t>(i)], sum, 0x1p-22 * magnitudes);
    }
    EXPECT_EQ(rounded[0], on_cpu[0]) << "as over MPI";
    for (const auto& sums : {whole, rounded})
      for (const std::vector<float>& of_rank : sums) EXPECT_EQ(of_rank, sums[0]);
  }
}

TEST_F(GpuRanksTest, GatheringAndBroadcastingBringEachItsBytes) {
  run_gpu_ranks(3, [](Kernels& kernels, Communicator* ranks) {
    const auto rank = static_cast<double>(ranks->rank());
    std::vector<double> own(6, -1);
    own[static_cast<size_t>(2 * ranks->rank())] = rank;
    own[static_cast<size_t>(2 * ranks->rank() + 1)] = rank + 0.5;
    const Buffer<double> all(kernels, own);
    ranks->all_gather(all.data(), 2 * sizeof(double));
    EXPECT_EQ(all.download(), (std::vector<double>{0, 0.5, 1, 1.5, 2, 2.5}));
    const Buffer<double> first(kernels, std::vector<double>{rank + 7, rank});
    ranks->broadcast(first.data(), sizeof(double));
    EXPECT_EQ(first.download(), (std::vector<double>{7, rank}));
    EXPECT_EQ(ranks->max(3 * ranks->rank()), 6);
  });
}

TEST_F(GpuRanksTest, AnIterationWaitsForNothingAndStaysOnTheDevice) {
  const RankCase of = rank_cases().front();
  run_gpu_ranks(2, [&](Kernels& kernels, Communicator* ranks) {
    TrainingOptions options = training(of, ranks);
    options.optimiser.gradient_travel = Type::bfloat16;
    const auto data = make_toy_data(kernels, ToyDataset::gaussians25, options);
    const auto method = of.make(kernels, *data, options);
    const GraphNodes nodes = kernels.capture([&] { method->iterate(); })->nodes();
    EXPECT_GT(nodes.kernels, 100);
    EXPECT_EQ(nodes.others, 0);
    kernels.synchronize();
  });
}

// --- methods

class GpuRankMethodsTest : public testing::TestWithParam<RankCase> {
 protected:
  void SetUp() override {
    if (!why_missing("emulated").empty()) GTEST_SKIP() << why_missing("emulated");
  }
};

std::vector<Trained> train_gpus(const RankCase& of, int64_t size, int64_t iterations,
                                Type travel = Type::float32) {
  std::vector<Trained> all(static_cast<size_t>(size));
  run_gpu_ranks(size, [&](Kernels& kernels, Communicator* ranks) {
    TrainingOptions options = training(of, ranks);
    options.optimiser.gradient_travel = travel;
    all[ranks == nullptr ? 0 : static_cast<size_t>(ranks->rank())] = train(of, kernels, options, iterations);
  });
  return all;
}

TEST_P(GpuRankMethodsTest, AnyNumberOfGpusEndsWhereOneEnds) {
  constexpr int64_t iterations = 3;
  const Trained whole = train_gpus(GetParam(), 1, iterations).front();
  for (const int64_t size : {2, 4}) {
    SCOPED_TRACE(size);
    const std::vector<Trained> ranks = train_gpus(GetParam(), size, iterations);
    for (const Trained& rank : ranks) {
      EXPECT_EQ(rank.state, ranks.front().state) << "ranks stay together";
      EXPECT_EQ(rank.numbers, ranks.front().numbers);
    }
    const Tolerance tolerance{.factor = 128, .reason = "roundings of nine steps of Adam"};
    EXPECT_TRUE(close(ranks.front().state, whole.state, tolerance));
    EXPECT_TRUE(close(ranks.front().numbers, whole.numbers, tolerance));
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, GpuRankMethodsTest, testing::ValuesIn(rank_cases()),
                         [](const auto& info) { return info.param.name; });

TEST_F(GpuRanksTest, GradientsMayTravelAsBfloat16) {
  const RankCase of = rank_cases().front();
  const auto rounded = train_gpus(of, 2, 3, Type::bfloat16), whole = train_gpus(of, 2, 3);
  EXPECT_EQ(rounded[0].state, rounded[1].state);
  EXPECT_EQ(train_gpus(of, 2, 3, Type::bfloat16)[0].state, rounded[0].state) << "the same bits again";
  EXPECT_NE(rounded[0].state, whole[0].state);
  EXPECT_TRUE(close(rounded[0].state, whole[0].state,
                    {.factor = 0x1p16, .reason = "bfloat16's epsilon over float32's"}));
}

TEST_F(GpuRanksTest, TheStateOfTheFirstBecomesThatOfAll) {
  const RankCase of = rank_cases().at(2);  // with a running Gram matrix
  std::vector<std::vector<float>> states(2);
  run_gpu_ranks(2, [&](Kernels& kernels, Communicator* ranks) {
    TrainingOptions options = training(of, ranks);
    options.seed = 5 + ranks->rank();
    const auto data = make_toy_data(kernels, ToyDataset::gaussians25, options);
    const auto method = of.make(kernels, *data, options);
    method->initialize();
    const uint64_t iteration = ranks->rank() == 0 ? 17 : 0;
    method->iteration().upload(std::span<const uint64_t>(&iteration, 1));
    int64_t done = 0;
    share_state(*method, done);
    EXPECT_EQ(done, 17);
    for (Learner* learner : method->learners())
      append(states[static_cast<size_t>(ranks->rank())], kernels, learner->network());
  });
  EXPECT_EQ(states[0], states[1]);
}

// --- ranks that fail

TEST_F(GpuRanksTest, ARankThatFailsEndsTheWaitsOfAll) {
  std::vector<std::string> said(3);
  const auto run = [&] {
    run_gpu_ranks(3, [&](Kernels& kernels, Communicator* ranks) {
      const Buffer<float> values(kernels, 4);
      const auto readback = kernels.readback(4);
      try {
        if (ranks->rank() == 1) throw Error("the disk is full");
        ranks->all_reduce({values.data(), 1, flat(4)}, Type::float32);
        readback->start(values.data());
        readback->wait();
      } catch (const Error& error) {
        said[static_cast<size_t>(ranks->rank())] = error.what();
        if (ranks->rank() == 1) throw;
        EXPECT_THROW(kernels.synchronize(), Error) << "what follows is no state of a run";
        EXPECT_THROW(ranks->max(0), Error);
      }
    });
  };
  EXPECT_THROW(run(), Error);
  for (const size_t rank : {size_t{0}, size_t{2}})
    EXPECT_TRUE(said[rank].find("another") != std::string::npos) << said[rank];
}

/// Ranks whose hosts wait no longer than this.
class ImpatientHosts final : public HostRanks {
 public:
  ImpatientHosts(HostRanks& hosts, double seconds) : hosts_(hosts), seconds_(seconds) {}
  int64_t rank() const override { return hosts_.rank(); }
  int64_t size() const override { return hosts_.size(); }
  void all_reduce(View values, Type travel) override { hosts_.all_reduce(values, travel); }
  void all_gather(void* blocks, int64_t bytes) override { hosts_.all_gather(blocks, bytes); }
  void broadcast(void* values, int64_t bytes) override { hosts_.broadcast(values, bytes); }
  int64_t max(int64_t number) override { return hosts_.max(number); }
  void listen() override {}
  double time_limit() const override { return seconds_; }

 private:
  HostRanks& hosts_;
  double seconds_;
};

TEST_F(GpuRanksTest, ARankThatDoesNotComeIsWaitedForNoLongerThanTheLimit) {
  const Environment gpus(emulated_gpus, "2");
  std::string said;
  run_ranks(2, [&](HostRanks* hosts) {
    ImpatientHosts impatient(*hosts, 0.2);
    const auto kernels = open_cuda_library(emulated_library(), static_cast<int>(hosts->rank()));
    const auto ranks = kernels->meet(impatient);
    const Buffer<float> values(*kernels, 4);
    if (hosts->rank() == 0) {
      ranks->all_reduce({values.data(), 1, flat(4)}, Type::float32);
      try {
        kernels->synchronize();
      } catch (const Error& error) {
        said = error.what();
      }
    }
    hosts->max(0);  // the other one is there, but does nothing
  });
  EXPECT_NE(said.find("did not answer for 0.2 s"), std::string::npos) << said;
}

TEST_F(GpuRanksTest, TwoRanksOnOneGpuAreRefused) {
  const Environment gpus(emulated_gpus, "2");
  run_ranks(2, [&](HostRanks* hosts) {
    const auto kernels = open_cuda_library(emulated_library(), 1);
    try {
      kernels->meet(*hosts);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_STREQ(
          error.what(),
          "processes 0 and 1 have the same GPU; start as many processes on a node as it has GPUs, with "
          "--device cuda or auto, give each one of its own in CUDA_VISIBLE_DEVICES, or use --device cpu");
    }
  });
}

TEST_F(GpuRanksTest, EachTakesTheGpuOfItsPlaceOrTheOneItSees) {
  const auto open = [](int place) {
    return open_cuda_library(emulated_library(), {place, cuda::GpuChoice::By::place})->description();
  };
  const Environment gpus(emulated_gpus, "3");
  EXPECT_EQ(open(2).substr(0, 7), "cuda:2 ");
  try {
    open(3);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("process 3 of this node (they count from 0) finds 3 GPUs"),
              std::string::npos)
        << error.what();
  }
  const Environment visible("CUDA_VISIBLE_DEVICES", "2");
  EXPECT_EQ(open(2).substr(0, 7), "cuda:0 ");
}

}  // namespace
}  // namespace ebm::test
