// SPDX-License-Identifier: MIT
// The CPU's threads: every part is done once, and nothing depends on their number.
#include "kernels/cpu/threads.h"

#include <omp.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <utility>

#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

TEST(ThreadsTest, EveryPartIsDoneOnce) {
  for (const int count : {1, 2, 3, 8}) {
    cpu::Threads threads(count);
    EXPECT_EQ(threads.count(), count);
    for (int job = 0; job < 3000; ++job) {
      const int64_t parts = job % (cpu::max_parts + 1);
      std::array<std::atomic<int>, cpu::max_parts> done{};
      threads.run(parts, [&](int64_t part) { ++done[static_cast<size_t>(part)]; });
      for (int64_t part = 0; part < cpu::max_parts; ++part)
        ASSERT_EQ(done[static_cast<size_t>(part)], part < parts ? 1 : 0) << "job " << job << " of " << count;
    }
  }
}

TEST(ThreadsTest, KernelsTellHowManyThereAre) {
  const auto alive = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const int before = omp_get_max_threads();
  for (const int count : {1, 2, 5}) {
    const auto others = alive();
    omp_set_num_threads(count);
    const auto kernels = open_device("cpu");
    omp_set_num_threads(before);
    EXPECT_EQ(kernels->host_threads(), count);
    EXPECT_EQ(alive() - others, count - 1) << "the caller is one of them";
  }
}

TEST(ThreadsTest, ResultsAreSeenByTheCallerAndByTheNextJob) {
  cpu::Threads threads(4);
  constexpr int64_t parts = 16;
  std::vector<int64_t> values(parts);  // plain memory: the thread sanitizer watches it
  for (int64_t job = 1; job <= 2000; ++job) {
    threads.run(parts, [&](int64_t part) { values[static_cast<size_t>(part)] += part; });
    threads.run(parts, [&](int64_t part) { values[static_cast<size_t>(parts - 1 - part)] += 1; });
    ASSERT_EQ(values[5], 6 * job);
  }
}

TEST(ThreadsTest, StartedPartsAreDoneWhenTheNextOnesBeginAndAfterWait) {
  for (const int count : {1, 2, 3, 8}) {
    constexpr int64_t parts = 16;
    std::vector<int64_t> values(parts);
    int64_t* const at = values.data();
    cpu::Threads threads(count);
    for (int64_t job = 1; job <= 2000; ++job) {
      // f is a copy: what is captured by value may change at once
      threads.start(parts, [=](int64_t part) { at[part] += part + job; });
      threads.start(parts, [=](int64_t part) { at[parts - 1 - part] -= job; });
      threads.start(1, [=](int64_t) { at[0] += 1; });
      if (job % 2 == 0) {
        threads.run(parts, [&](int64_t part) { values[static_cast<size_t>(part)] += 1; });
      } else {
        threads.start(parts, [=](int64_t part) { at[part] += 1; });
        threads.wait();
      }
      ASSERT_EQ(values[5], 6 * job) << count;
      ASSERT_EQ(values[0], 2 * job) << count;
    }
    threads.start(parts, [=](int64_t part) { at[part] = -1; });  // the destructor waits
  }
}

/// True if two parts of a job can be under way at the same time: each waits for the other to begin.
bool a_helper_comes(cpu::Threads& threads) {
  std::atomic<int> begun = 0;
  std::atomic<bool> met = true;
  threads.run(2, [&](int64_t) {
    ++begun;
    const auto start = std::chrono::steady_clock::now();
    while (begun < 2 && met) {
      std::this_thread::yield();
      if (std::chrono::steady_clock::now() - start > std::chrono::seconds(10)) met = false;
    }
  });
  return met;
}

TEST(ThreadsTest, HelpersComeAgainAfterRestsOfAnyLength) {
  // They fall asleep after some 50 us. There are more threads than cores, so that any may be held up
  // anywhere.
  std::atomic<int> came = 0;
  const auto drive = [&] {
    cpu::Threads threads(2);
    for (int job = 0; job < 3000; ++job) {
      threads.run(2, [](int64_t) {});
      std::this_thread::sleep_for(std::chrono::microseconds(job % 60));
    }
    if (a_helper_comes(threads)) ++came;
  };
  constexpr int teams = 8;
  std::vector<std::thread> drivers;
  for (int team = 0; team < teams; ++team) drivers.emplace_back(drive);
  for (std::thread& driver : drivers) driver.join();
  EXPECT_EQ(came, teams);
}

/// A CPU with `threads` threads.
std::unique_ptr<Kernels> cpu_with(int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  auto kernels = open_kernels("cpu");
  omp_set_num_threads(before);
  return kernels;
}

/// Everything that is cut for threads: products, sums of columns, maps, teams and noise, large enough to be
/// cut.
std::vector<float> all_results(Kernels& kernels) {
  std::vector<float> all;
  const auto keep = [&](const Tensor& t) {
    const std::vector<float> values = t.download();
    all.insert(all.end(), values.begin(), values.end());
  };
  const Buffer<uint64_t> iteration(kernels, 1);
  const auto random = [&](int64_t rows, int64_t columns, uint32_t stream) {
    Tensor t(kernels, rows, flat(columns));
    kernels.noise({Distribution::normal, 7, stream, iteration.data()}, t);
    keep(t);
    return t;
  };
  for (const auto& [m, n, inner] : {std::array<int64_t, 3>{200, 100, 100}, {64, 1000, 333}, {403, 2, 150}}) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        const Tensor a = random(m, inner, 1), b = random(inner, n, 2), c(kernels, m, flat(n));
        kernels.gemm({.m = m,
                      .n = n,
                      .inner = inner,
                      .a = a.data(),
                      .transpose_a = ta,
                      .b = b.data(),
                      .transpose_b = tb,
                      .c = c.data()});
        keep(c);
      }
    }
  }
  const int64_t rows = 1001, columns = 129;
  const Tensor x = random(rows, columns, 3), bias = random(1, columns, 4), sums(kernels, 1, flat(columns));
  kernels.run(ColumnSum{
      .rows = rows, .columns = columns, .x = x.data(), .out = sums.data(), .mode = Write::overwrite});
  keep(sums);
  kernels.run(AddBias{.rows = rows, .columns = columns, .bias = bias.data(), .y = x.data()});
  keep(x);
  const Tensor u(kernels, rows, flat(columns));
  const Buffer<double> theta(kernels, rows);
  kernels.run(
      UnitImage{.rows = rows, .range = columns, .u = x.data(), .uh = u.data(), .theta = theta.data()});
  keep(u);
  return all;
}

TEST(ThreadsTest, ResultsAreTheSameBitsForAnyNumberOfThreads) {
  const auto one = cpu_with(1);
  const std::vector<float> expected = all_results(*one);
  for (const int threads : {2, 5}) {
    const auto kernels = cpu_with(threads);
    for (int time = 0; time < 3; ++time)
      EXPECT_TRUE(same_bits(all_results(*kernels), expected)) << threads << " threads";
  }
}

}  // namespace
}  // namespace ebm::test
