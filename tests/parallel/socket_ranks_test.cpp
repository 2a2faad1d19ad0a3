// SPDX-License-Identifier: MIT
// Ranks without MPI, which find each other by a file: threads here, as processes do.
#include "parallel/socket_ranks.h"

#include <unistd.h>

#include <fstream>
#include <functional>
#include <mutex>
#include <thread>

#include "../io/io_fixture.h"

namespace ebm::test {
namespace {

class SocketRanksTest : public IoTest {
 protected:
  /// Runs `work` of each rank on a thread. Returns what each threw.
  std::vector<std::string> run(int64_t size, const std::function<void(JobRanks&)>& work,
                               double seconds = 30) {
    std::vector<std::string> thrown(static_cast<size_t>(size));
    std::vector<std::thread> threads;
    for (int64_t rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        try {
          const auto ranks =
              meet_in_folder({.rank = rank, .size = size, .name = "test"}, folder_.string(), "7.0", seconds);
          work(*ranks);
        } catch (const Error& error) {
          thrown[static_cast<size_t>(rank)] = error.what();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return thrown;
  }
};

using Strings = std::vector<std::string>;

TEST_F(SocketRanksTest, ExchangeWhatTheyAreAskedTo) {
  const Strings thrown = run(3, [](JobRanks& ranks) {
    const auto rank = static_cast<float>(ranks.rank());
    EXPECT_EQ(ranks.max(-5 * ranks.rank() - 1), -1);
    std::vector<float> blocks(6, -1);
    blocks[static_cast<size_t>(2 * ranks.rank())] = rank;
    blocks[static_cast<size_t>(2 * ranks.rank() + 1)] = rank + 0.5f;
    ranks.all_gather(blocks.data(), 2 * sizeof(float));
    EXPECT_EQ(blocks, (std::vector<float>{0, 0.5f, 1, 1.5f, 2, 2.5f}));
    float first = rank + 3;
    ranks.broadcast(&first, sizeof first);
    EXPECT_EQ(first, 3);
    std::vector<float> values{1, 257 + rank, 0.1f};
    ranks.all_reduce({values.data(), 1, flat(3)}, Type::float32);
    EXPECT_EQ(values, (std::vector<float>{3, 774, static_cast<float>(3 * double{0.1f})}));
    values = {1, 257 + rank};  // 256, 258, 260 as bfloat16
    ranks.all_reduce({values.data(), 1, flat(2)}, Type::bfloat16);
    EXPECT_EQ(values, (std::vector<float>{3, 776}));
    ranks.finish();
  });
  EXPECT_EQ(thrown, Strings(3));
  EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "the file goes when all are there";
}

TEST_F(SocketRanksTest, AFileOfAnEarlierJobDoesNoHarm) {
  std::ofstream(*this / "ebm-ranks-7.0") << "127.0.0.1 1 123\n";
  EXPECT_EQ(run(2, [](JobRanks& ranks) { EXPECT_EQ(ranks.max(ranks.rank()), 1); }), Strings(2));
}

TEST_F(SocketRanksTest, ARankThatFailsIsHeardByAll) {
  std::vector<Failure> said(3);
  const Strings thrown = run(3, [&](JobRanks& ranks) {
    Failure own{.status = 1, .message = ""};
    try {
      if (ranks.rank() == 1) throw Error("the disk is full");
      ranks.max(0);
      ADD_FAILURE();
    } catch (const Error& error) {
      own.message = error.what();
    }
    said[static_cast<size_t>(ranks.rank())] = ranks.fail(own);
    ranks.leave(1);
  });
  EXPECT_EQ(thrown, Strings(3));
  EXPECT_EQ(said[0].message, "the disk is full (process 1 of 3)");
  EXPECT_EQ(said[1].message + said[2].message, "");
  for (const Failure& failure : said) EXPECT_EQ(failure.status, 1);
}

TEST_F(SocketRanksTest, OneThatDiesOrHangsIsAnError) {
  for (const bool dies : {true, false}) {
    const Strings thrown = run(
        2,
        [dies](JobRanks& ranks) {
          if (ranks.rank() == 1 && dies) return;
          if (ranks.rank() == 1) usleep(600000);
          if (ranks.rank() == 0) ranks.max(0);
        },
        0.3);
    EXPECT_NE(thrown[0].find(dies ? "another process ended" : "did not answer for 0.3 s"), std::string::npos)
        << thrown[0];
  }
}

TEST_F(SocketRanksTest, OneThatNeverComesIsWaitedForNoLongerThanTheLimit) {
  try {
    meet_in_folder({.rank = 1, .size = 2, .name = "test"}, folder_.string(), "7.0", 0.2);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_HAS(error.what(), "did not answer for 0.2 s (the first process's file ");
  }
}

}  // namespace
}  // namespace ebm::test
