// SPDX-License-Identifier: MIT
// Ranks without MPI, which find each other by a file: threads here, as processes do.
#include "parallel/socket_ranks.h"

#include <unistd.h>

#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "../io/io_fixture.h"
#include "core/node.h"
#include "parallel/socket.h"

namespace ebm::test {
namespace {

class SocketRanksTest : public IoTest {
 protected:
  /// Runs `work` of each rank on a thread. Returns what each threw.
  std::vector<std::string> run(int64_t size, const std::function<void(JobRanks&)>& work, double seconds = 30,
                               const std::function<void(int64_t)>& before = {}) {
    std::vector<std::string> thrown(static_cast<size_t>(size));
    std::vector<std::thread> threads;
    for (int64_t rank = 0; rank < size; ++rank) {
      threads.emplace_back([&, rank] {
        try {
          if (before) before(rank);
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
  // Nobody listens there; somebody does, who says nothing; a half of a file.
  const Socket silent = Socket::listening();
  for (const std::string& left : {node_identity() + " localhost 1 123\n",
                                  node_identity() + " localhost " + std::to_string(silent.port()) + " 123\n",
                                  std::string("127.0.0.1 1")}) {
    std::ofstream(*this / "ebm-ranks-7.0") << left;
    const auto late = [](int64_t rank) { usleep(rank == 0 ? 300000 : 0); };
    EXPECT_EQ(run(
                  2, [](JobRanks& ranks) { EXPECT_EQ(ranks.max(ranks.rank()), 1); }, 10, late),
              Strings(2));
  }
}

TEST_F(SocketRanksTest, WhatTheFirstFindsWrongEndsAllAtOnce) {
  const auto meet = [&](const std::vector<Launcher>& launchers) {
    Strings thrown;
    std::vector<std::future<std::string>> ranks;
    for (const Launcher& launcher : launchers) {
      ranks.push_back(std::async(std::launch::async, [&, launcher] {
        try {
          meet_in_folder(launcher, folder_.string(), "7.0", 1000);
        } catch (const Error& error) {
          return std::string(error.what());
        }
        return std::string();
      }));
    }
    for (auto& rank : ranks) thrown.push_back(rank.get());
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
    return thrown;
  };
  for (const std::string& said :
       meet({{.rank = 0, .size = 3}, {.rank = 1, .size = 3}, {.rank = 1, .size = 3}}))
    EXPECT_HAS(said, "two processes are number 1; give each its own EBM_RANK");
  for (const std::string& said : meet({{.rank = 0, .size = 2}, {.rank = 2, .size = 3}}))
    EXPECT_HAS(said, "the first process is one of 2, another one is one of 3");
}

TEST_F(SocketRanksTest, AFolderThatCannotBeWrittenIsAnError) {
  try {
    meet_in_folder({.rank = 0, .size = 2, .name = "test"}, (*this / "none").string(), "7.0", 30);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_HAS(error.what(), "cannot write ");
    EXPECT_HAS(error.what(), "No such file or directory; name a folder that all processes see");
  }
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
    std::promise<void> over;
    const Strings thrown = run(
        2,
        [dies, &over](JobRanks& ranks) {
          if (ranks.rank() == 1) {
            if (!dies) over.get_future().wait();
            return;
          }
          try {
            ranks.max(0);
          } catch (const Error&) {
            over.set_value();
            throw;
          }
        },
        dies ? 1000 : 3);
    EXPECT_HAS(thrown[0], dies ? "another process ended" : "did not answer for 3 s");
  }
}

TEST_F(SocketRanksTest, ARankThatGivesUpHearsTheFirstBehindALateAnswer) {
  std::promise<void> gives_up;
  Failure of_second{.status = 7, .message = "none"}, of_first;
  const auto meet = [&](int64_t rank, double seconds) {
    return meet_in_folder({.rank = rank, .size = 2, .name = "test"}, folder_.string(), "7.0", seconds);
  };
  std::thread second([&] {
    const auto ranks = meet(1, 3);
    try {
      ranks->max(0);
      ADD_FAILURE();
    } catch (const Error& error) {
      gives_up.set_value();
      of_second = ranks->fail({.status = 1, .message = error.what()});
      ranks->leave(1);
    }
  });
  const auto ranks = meet(0, 1000);
  gives_up.get_future().wait();
  EXPECT_EQ(ranks->max(0), 0);  // it asked, and no longer wants to know
  EXPECT_THROW(ranks->max(0), Error);
  of_first = ranks->fail({.status = 1, .message = "own"});
  ranks->leave(1);
  second.join();
  EXPECT_HAS(of_first.message, "did not answer for 3 s");
  EXPECT_EQ(of_second.message, "") << "the first one speaks";
  EXPECT_EQ(of_second.status, 1);
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
