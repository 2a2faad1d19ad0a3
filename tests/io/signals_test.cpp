// SPDX-License-Identifier: MIT
#include "io/signals.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "kernels/kernels.h"
#include "reference/random.h"

namespace ebm::test {
namespace {

/// Sends SIGUSR1 to the thread that made it, over and over.
class Sender {
 public:
  Sender() : thread_([this, to = pthread_self()] { send(to); }) {}
  ~Sender() {
    done_ = true;
    thread_.join();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

 private:
  void send(pthread_t to) const {
    while (!done_) {
      pthread_kill(to, SIGUSR1);
      usleep(50);
    }
  }
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

Tensor normals(Kernels& kernels, reference::Random& random, int64_t rows, int64_t columns) {
  Tensor tensor(kernels, rows, flat(columns));
  const std::vector<double> values = random.normals(rows * columns);
  tensor.upload(std::vector<float>(values.begin(), values.end()));
  return tensor;
}

constexpr struct {
  int number;
  const char* name;
  int exit_status;
} asking[] = {{SIGINT, "SIGINT", 0},   {SIGTERM, "SIGTERM", 143}, {SIGHUP, "SIGHUP", 0},
              {SIGUSR1, "SIGUSR1", 0}, {SIGUSR2, "SIGUSR2", 0},   {SIGXCPU, "SIGXCPU", 0},
              {SIGALRM, "SIGALRM", 0}};

void (*action_of(int number))(int) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  return action.sa_handler;
}

TEST(StopRequestTest, EachSignalAsksAndOneThatRepeatsItselfDoesNoHarm) {
  for (const auto& signal : asking) {
    for (const auto& other : asking) std::signal(other.number, SIG_DFL);
    {
      const StopRequest request;
      EXPECT_FALSE(request.requested());
      raise(signal.number);
      ASSERT_TRUE(request.requested());
      EXPECT_EQ(request.requested()->name, signal.name);
      EXPECT_EQ(request.requested()->number, signal.number);
      EXPECT_EQ(request.requested()->exit_status(), signal.exit_status);
    }
    if (signal.number != SIGINT) raise(signal.number);  // as SIGXCPU does, every second
    for (const auto& other : asking) {
      const bool its_own = other.number == signal.number && signal.number != SIGINT;
      EXPECT_EQ(action_of(other.number) == SIG_DFL, !its_own) << signal.name << ' ' << other.name;
    }
    { const StopRequest next; }
    EXPECT_EQ(action_of(signal.number), SIG_DFL) << signal.name;
  }
}

TEST(StopRequestTest, TheFirstOfSeveralCountsAndAllThatCameStayCaught) {
  {
    const StopRequest request;
    raise(SIGXCPU);
    raise(SIGTERM);
    ASSERT_TRUE(request.requested());
    EXPECT_EQ(request.requested()->name, "SIGXCPU");
  }
  for (const int number : {SIGXCPU, SIGTERM}) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    EXPECT_NE(action.sa_handler, SIG_DFL) << number;
    signal(number, SIG_DFL);
  }
}

TEST(StopRequestTest, WhatWasIgnoredStaysIgnored) {
  for (const auto& signal : asking) {
    std::signal(signal.number, SIG_IGN);
    {
      const StopRequest request;
      raise(signal.number);
      EXPECT_FALSE(request.requested()) << signal.name;
    }
    EXPECT_EQ(action_of(signal.number), SIG_IGN) << signal.name;
    {
      const SignalsWait wait;
      raise(signal.number);
    }
    EXPECT_EQ(action_of(signal.number), SIG_IGN) << signal.name;
    std::signal(signal.number, SIG_DFL);
  }
}

TEST(StopRequestTest, ASecondInterruptEndsAtOnce) {
  EXPECT_EXIT(
      {
        const StopRequest request;
        raise(SIGINT);
        raise(SIGINT);
        _exit(0);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(SignalsWaitTest, SignalsActAtItsEnd) {
  for (const auto& signal : asking) {
    std::signal(signal.number, SIG_DFL);  // a StopRequest of another test may have kept it
    EXPECT_EXIT(
        {
          {
            const SignalsWait wait;
            const SignalsWait inner;
            raise(signal.number);
            std::fputs("went on", stderr);
          }
          _exit(0);
        },
        testing::KilledBySignal(signal.number), "went on")
        << signal.name;
  }
}

TEST(SignalsWaitTest, IsNothingBesideAStopRequest) {
  const StopRequest request;
  raise(SIGUSR1);
  { const SignalsWait wait; }
  ASSERT_TRUE(request.requested());
  raise(SIGUSR1);
  EXPECT_EQ(request.requested()->name, "SIGUSR1");
}

// A layer of the network for MNIST: its product runs in kernels that use the stack pointer for themselves.
TEST(StopRequestTest, SignalsDuringProductsLeaveMemoryAlone) {
  constexpr int64_t m = 64, n = 2000, inner = 2352;
  const auto kernels = open_kernels("cpu");
  reference::Random random(4);
  const Tensor a = normals(*kernels, random, m, inner), b = normals(*kernels, random, inner, n);
  const auto product = [&] {
    const Tensor c(*kernels, m, flat(n));
    kernels->gemm({.m = m, .n = n, .inner = inner, .a = a.data(), .b = b.data(), .c = c.data()});
    return c.download();
  };
  const std::vector<float> alone = product();
  const StopRequest request;
  const Sender sender;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(product() == alone);
  ASSERT_TRUE(request.requested());
  EXPECT_EQ(request.requested()->name, "SIGUSR1");
}

}  // namespace
}  // namespace ebm::test
