// SPDX-License-Identifier: MIT
// Wrong calls of NCCL, each seen to be caught by the emulated one; and sums over nodes, which one machine has not.
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "kernels/cuda/cuda_base.h"
#include "kernels/cuda/nccl/library.h"
#include "kernels/cuda/nccl/ranks.h"
#include "kernels/library_search.h"
#include "parallel/gpu_ranks.h"
#include "planted.cuh"
#include "support/environment.h"

namespace ebm::emulated {
namespace {

using namespace cuda;

const Nccl& nccl() {
  static const Nccl functions = default_nccl();
  return functions;
}

/// A rank of `size` with a stream and 64 numbers, all of them its rank.
struct Rank {
  Rank(const NcclUniqueId& id, int size, int rank) {
    EXPECT_EQ(cudaSetDevice(rank), cudaSuccess);
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    EXPECT_EQ(nccl().comm_init_rank(&communicator, size, id, rank), nccl_success);
    void* block = nullptr;
    EXPECT_EQ(cudaMalloc(&block, 64 * sizeof(float)), cudaSuccess);
    numbers = static_cast<float*>(block);
    const std::vector<float> own(64, static_cast<float>(rank));
    EXPECT_EQ(cudaMemcpyAsync(numbers, own.data(), 64 * sizeof(float), cudaMemcpyHostToDevice, stream),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  }
  ~Rank() {
    cudaFree(numbers);
    cudaStreamDestroy(stream);
    if (communicator != nullptr) nccl().comm_destroy(communicator);
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;

  NcclResult sum(size_t count, cudaStream_t on) {
    return nccl().all_reduce(numbers, numbers, count, nccl_float32, nccl_sum, communicator, on);
  }
  NcclResult sum(size_t count) { return sum(count, stream); }

  NcclCommunicator* communicator = nullptr;
  cudaStream_t stream = nullptr;
  float* numbers = nullptr;
};

/// Each of two ranks on a thread.
void both(const std::function<void(Rank&, int)>& work) {
  const test::Environment gpus(test::emulated_gpus, "2");
  NcclUniqueId id;
  ASSERT_EQ(nccl().get_unique_id(&id), nccl_success);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      Rank own(id, 2, rank);
      work(own, rank);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class NcclTest : public testing::Test {
 protected:
  NcclTest() {
    NcclUniqueId id;
    EXPECT_EQ(nccl().get_unique_id(&id), nccl_success);
    alone_ = std::make_unique<Rank>(id, 1, 0);
  }
  std::unique_ptr<Rank> alone_;
};
using NcclDeathTest = NcclTest;

TEST_F(NcclTest, WrongArguments) {
  Rank& own = *alone_;
  const auto sum = [&](const void* from, size_t count, NcclType type, NcclCommunicator* communicator,
                       cudaStream_t stream) {
    return nccl().all_reduce(from, own.numbers, count, type, nccl_sum, communicator, stream);
  };
  EXPECT_EQ(sum(own.numbers, 64, nccl_float32, own.communicator, own.stream), nccl_success);
  EXPECT_EQ(sum(nullptr, 64, nccl_float32, own.communicator, own.stream), nccl_invalid_argument);
  EXPECT_EQ(sum(own.numbers, 0, nccl_float32, own.communicator, own.stream), nccl_invalid_argument);
  EXPECT_EQ(sum(own.numbers, 64, static_cast<NcclType>(77), own.communicator, own.stream),
            nccl_invalid_argument);
  EXPECT_EQ(sum(own.numbers, 64, nccl_float32, nullptr, own.stream), nccl_invalid_argument);
  EXPECT_EQ(sum(own.numbers, 64, nccl_float32, own.communicator, nullptr), nccl_invalid_argument);
  EXPECT_EQ(nccl().all_reduce(own.numbers, own.numbers, 64, nccl_float32, static_cast<NcclOperation>(2),
                              own.communicator, own.stream),
            nccl_invalid_argument);
  EXPECT_EQ(nccl().broadcast(own.numbers, own.numbers, 64, nccl_uint8, 1, own.communicator, own.stream),
            nccl_invalid_argument);
  NcclCommunicator* none = nullptr;
  EXPECT_EQ(nccl().comm_init_rank(&none, 1, NcclUniqueId{}, 0), nccl_invalid_argument);
  EXPECT_EQ(nccl().comm_init_rank(&none, 2, NcclUniqueId{"/x"}, 2), nccl_invalid_argument);
}

TEST_F(NcclTest, GroupsAndMessages) {
  Rank& own = *alone_;
  EXPECT_EQ(nccl().group_end(), nccl_invalid_usage);
  EXPECT_EQ(nccl().send(own.numbers, 1, nccl_float32, 0, own.communicator, own.stream), nccl_invalid_usage);
  EXPECT_EQ(nccl().group_start(), nccl_success);
  EXPECT_EQ(nccl().send(own.numbers, 1, nccl_float32, 1, own.communicator, own.stream),
            nccl_invalid_argument);
  EXPECT_EQ(own.sum(1), nccl_invalid_usage);
  EXPECT_EQ(nccl().group_end(), nccl_success);
}

TEST_F(NcclTest, AfterAnAbort) {
  Rank& own = *alone_;
  EXPECT_EQ(nccl().comm_abort(own.communicator), nccl_success);
  EXPECT_EQ(own.sum(1), nccl_invalid_argument);
  EXPECT_EQ(nccl().comm_abort(own.communicator), nccl_invalid_argument);
  own.communicator = nullptr;
}

TEST_F(NcclTest, AnotherDevice) {
  const test::Environment gpus(test::emulated_gpus, "2");
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(alone_->sum(1), nccl_invalid_usage);
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
}

TEST_F(NcclTest, ASumWaitsForTheOtherRank) {
  std::atomic<bool> asked = false;
  both([&asked](Rank& own, int rank) {
    if (rank == 0) {
      EXPECT_EQ(own.sum(64), nccl_success);
      EXPECT_EQ(cudaStreamQuery(own.stream), cudaErrorNotReady);
    }
    if (rank == 0) asked = true;
    while (!asked) std::this_thread::yield();
    if (rank == 1) {
      EXPECT_EQ(own.sum(64), nccl_success);
    }
    EXPECT_EQ(cudaStreamSynchronize(own.stream), cudaSuccess);
  });
}

TEST_F(NcclTest, ARankThatGoesAwayIsAnError) {
  both([](Rank& own, int rank) {
    if (rank == 1) {
      nccl().comm_abort(std::exchange(own.communicator, nullptr));
      return;
    }
    EXPECT_EQ(own.sum(64), nccl_success);
    NcclResult error = nccl_success;
    while (error == nccl_success) {
      EXPECT_EQ(cudaStreamQuery(own.stream), cudaErrorNotReady);
      EXPECT_EQ(nccl().comm_get_async_error(own.communicator, &error), nccl_success);
    }
    EXPECT_EQ(error, nccl_remote_error);
    nccl().comm_abort(std::exchange(own.communicator, nullptr));
    EXPECT_EQ(cudaStreamSynchronize(own.stream), cudaSuccess) << "nothing waits any more";
  });
}

/// A graph of a sum.
cudaGraphExec_t record_sum(Rank& own) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  EXPECT_EQ(cudaStreamBeginCapture(own.stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(own.sum(64), nccl_success);
  EXPECT_EQ(cudaStreamEndCapture(own.stream, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  return executable;
}

TEST_F(NcclTest, AnAbortWaitsForGraphsThatHoldTheCommunicator) {
  Rank& own = *alone_;
  const cudaGraphExec_t graph = record_sum(own);
  std::atomic<bool> ended = false;
  std::thread abort([&ended, communicator = std::exchange(own.communicator, nullptr)] {
    EXPECT_EQ(nccl().comm_abort(communicator), nccl_success);
    ended = true;
  });
  usleep(20000);
  EXPECT_FALSE(ended);
  EXPECT_EQ(cudaGraphExecDestroy(graph), cudaSuccess);
  abort.join();
}

TEST_F(NcclDeathTest, ACommunicatorOfALiveGraphIsDestroyed) {
  EXPECT_DEATH(
      {
        record_sum(*alone_);
        nccl().comm_destroy(alone_->communicator);
      },
      "ncclCommDestroy waits for ever");
}

TEST_F(NcclDeathTest, RanksThatAskForDifferentThings) {
  EXPECT_DEATH(both([](Rank& own, int rank) {
                 own.sum(rank == 0 ? 64 : 63);
                 cudaStreamSynchronize(own.stream);
               }),
               "operation 1 of ranks . and . differs");
  EXPECT_DEATH(both([](Rank& own, int rank) {
                 if (rank == 0)
                   own.sum(64);
                 else
                   nccl().broadcast(own.numbers, own.numbers, 64, nccl_float32, 0, own.communicator,
                                    own.stream);
                 cudaStreamSynchronize(own.stream);
               }),
               "differs");
}

TEST_F(NcclDeathTest, ArraysThatOverlapOrEnd) {
  Rank& own = *alone_;
  EXPECT_DEATH(own.sum(65), "not inside one allocation");
  EXPECT_DEATH(nccl().all_reduce(own.numbers, own.numbers + 1, 32, nccl_float32, nccl_sum, own.communicator,
                                 own.stream),
               "its arrays overlap");
}

TEST_F(NcclDeathTest, TwoStreamsAtOnce) {
  Rank& own = *alone_;
  cudaStream_t other = nullptr;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  const auto behind = [&](cudaStream_t later, cudaStream_t earlier) {
    EXPECT_EQ(cudaEventRecord(event, earlier), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(later, event, 0), cudaSuccess);
  };
  EXPECT_DEATH(
      {
        own.sum(64);
        own.sum(64, other);
        cudaStreamSynchronize(other);
      },
      "used from two streams at once: operation 1 runs before operation 0");
  EXPECT_DEATH(
      {
        cudaStreamBeginCapture(own.stream, cudaStreamCaptureModeThreadLocal);
        behind(other, own.stream);
        own.sum(64);
        own.sum(64, other);
      },
      "neither operation waits for the other");
  own.sum(64);
  behind(other, own.stream);
  EXPECT_EQ(own.sum(64, other), nccl_success);
  EXPECT_EQ(cudaStreamSynchronize(other), cudaSuccess);
  cudaEventDestroy(event);
  cudaStreamDestroy(other);
}

// --- the library

std::string why_not(const std::string& file) {
  try {
    open_nccl(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(NcclLibraryTest, WhatCannotBeOpenedIsOneLine) {
  const std::string missing = why_not("libebm_no_nccl.so.2"), other = why_not("libm.so.6");
  EXPECT_EQ(missing.find("several processes on GPUs need NCCL, which cannot be opened"), 0) << missing;
  EXPECT_EQ(missing.find('\n'), std::string::npos);
  EXPECT_EQ(other.find("libm.so.6 lacks ncclGetVersion; install NCCL 2.16.0 or later"), 0) << other;
}

TEST(NcclLibraryTest, TheRealOneIsOpened) {
  const OpenedLibrary there = open_library(collective_library);
  if (there.handle == nullptr) GTEST_SKIP() << there.reason;
  const Nccl real = open_nccl(collective_library);
  int version = 0;
  EXPECT_EQ(real.get_version(&version), nccl_success);
  EXPECT_GE(version, 21600);
  EXPECT_STREQ(real.get_error_string(nccl_success), "no error");
  EXPECT_EQ(real.comm_get_async_error(nullptr, nullptr), nccl_invalid_argument);
}

// --- sums of several nodes, that travel rounded

/// Four ranks, two on each of two nodes: sums inside are of float32, then r(r(a + b) + r(c + d)).
TEST(RoundedSumTest, OfTwoNodes) {
  constexpr int64_t count = 37;
  const test::Environment gpus(test::emulated_gpus, "4");
  std::vector<std::vector<float>> sums(4);
  const auto value = [](int64_t rank, int64_t i) {
    return 1 + static_cast<float>((rank + 1) * (7 * i + 3) % 64) / 4096;
  };
  test::run_ranks(4, [&](HostRanks* hosts) {
    const int64_t rank = hosts->rank(), node = rank / 2, place = rank % 2;
    const auto kernels = make_cuda_kernels(static_cast<int>(rank));
    NcclRanks ranks(dynamic_cast<CudaBase&>(*kernels), *hosts, static_cast<int>(rank),
                    {.inside = {.ranks = {2 * node, 2 * node + 1}, .own = place},
                     .between = {.ranks = {place, 2 + place}, .own = node}});
    std::vector<float> own;
    for (int64_t i = 0; i < count; ++i) own.push_back(value(rank, i));
    const Buffer<float> values(*kernels, own);
    ranks.all_reduce({values.data(), 1, flat(count)}, Type::bfloat16);
    sums[static_cast<size_t>(rank)] = values.download();
  });
  const auto r = [](float x) { return expanded(rounded<bfloat16>(x)); };
  for (int64_t i = 0; i < count; ++i) {
    const float first = r(value(0, i) + value(1, i)), second = r(value(2, i) + value(3, i));
    for (const std::vector<float>& of_rank : sums)
      EXPECT_EQ(of_rank[static_cast<size_t>(i)], r(first + second)) << i;
  }
}

TEST(PlacesTest, GroupsAreThoseOfNodesThatAreAlike) {
  const auto at = [](const char* node) { return RankPlace{.gpu = "", .node = node}; };
  const std::vector<RankPlace> alike{at("a"), at("b"), at("a"), at("b")};
  const RankGroups groups = groups_of(alike, 3);
  EXPECT_EQ(groups.inside.ranks, (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(groups.inside.own, 1);
  EXPECT_EQ(groups.between.ranks, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(groups.between.own, 1);
  for (const std::vector<RankPlace>& places : {std::vector<RankPlace>{at("a"), at("b"), at("a")},
                                               std::vector<RankPlace>{at("a"), at("a"), at("a")}}) {
    const RankGroups flat = groups_of(places, 2);
    EXPECT_EQ(flat.inside.ranks, (std::vector<int64_t>{2}));
    EXPECT_EQ(flat.between.ranks, (std::vector<int64_t>{0, 1, 2}));
    EXPECT_EQ(flat.between.own, 2);
  }
}

}  // namespace
}  // namespace ebm::emulated
