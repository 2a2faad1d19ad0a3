// SPDX-License-Identifier: MIT
// Ranks in one process: a thread each, with kernels of its own on the CPU.
#pragma once

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstring>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "parallel/communicator.h"
#include "parallel/rank_sum.h"
#include "support/devices.h"

namespace ebm::test {

/// Where threads meet with what they bring.
class Meeting {
 public:
  explicit Meeting(int64_t size) : size(size), barrier_(size), brought_(static_cast<size_t>(size)) {}

  /// What each has brought. It is to be read before leave().
  const std::vector<std::vector<char>>& bring(int64_t rank, const void* bytes, int64_t count) {
    const auto* begin = static_cast<const char*>(bytes);
    brought_.at(static_cast<size_t>(rank)).assign(begin, begin + count);
    barrier_.arrive_and_wait();
    return brought_;
  }
  void leave() { barrier_.arrive_and_wait(); }
  /// For a thread that comes to no further meeting: the others go on without it, and hear that it failed.
  void desert() {
    deserted_ = true;
    barrier_.arrive_and_drop();
  }
  bool deserted() const { return deserted_; }

  const int64_t size;

 private:
  std::atomic<bool> deserted_ = false;
  std::barrier<> barrier_;
  std::vector<std::vector<char>> brought_;
};

class ThreadRank final : public HostRanks {
 public:
  ThreadRank(Meeting& meeting, int64_t rank) : meeting_(meeting), rank_(rank) {}
  int64_t rank() const override { return rank_; }
  int64_t size() const override { return meeting_.size; }
  int64_t calls() const { return calls_; }

  void all_reduce(View values, Type travel) override {
    travel == Type::bfloat16 ? reduce<bfloat16>(values) : reduce<float>(values);
  }
  void all_gather(void* blocks, int64_t bytes) override {
    auto* to = static_cast<char*>(blocks);
    std::vector<char> all;
    meet(to + rank_ * bytes, bytes,
         [&](const std::vector<char>& block) { all.insert(all.end(), block.begin(), block.end()); });
    std::memcpy(blocks, all.data(), all.size());
  }
  void broadcast(void* values, int64_t bytes) override {
    std::vector<char> first;
    meet(values, bytes, [&](const std::vector<char>& block) {
      if (first.empty()) first = block;
    });
    std::memcpy(values, first.data(), first.size());
  }
  int64_t max(int64_t number) override {
    int64_t largest = number;
    meet(&number, sizeof number, [&](const std::vector<char>& block) {
      int64_t other = 0;
      std::memcpy(&other, block.data(), sizeof other);
      largest = std::max(largest, other);
    });
    return largest;
  }
  void listen() override {
    if (meeting_.deserted()) throw Error("another thread failed");
  }
  double time_limit() const override { return 60; }

 private:
  template <class T>
  void reduce(View values) {
    const int64_t count = values.size();
    std::vector<T> own(static_cast<size_t>(count)), all;
    round_for_ranks(values.data, count, own.data());
    meet(own.data(), count * static_cast<int64_t>(sizeof(T)), [&](const std::vector<char>& block) {
      const auto* numbers = reinterpret_cast<const T*>(block.data());
      all.insert(all.end(), numbers, numbers + count);
    });
    sum_over_ranks(all.data(), size(), count, count, own.data());
    expand_from_ranks(own.data(), count, values.data);
  }
  /// Gives each rank's block to `take`, in the order of the ranks.
  template <class Take>
  void meet(const void* bytes, int64_t count, const Take& take) {
    ++calls_;
    for (const std::vector<char>& block : meeting_.bring(rank_, bytes, count)) take(block);
    meeting_.leave();
  }

  Meeting& meeting_;
  int64_t rank_, calls_ = 0;
};

/// Runs `work` of each rank on a thread; null is given to one that is alone. What one throws comes out here.
inline void run_ranks(int64_t size, const std::function<void(HostRanks*)>& work) {
  if (size == 1) return work(nullptr);
  Meeting meeting(size);
  std::vector<std::exception_ptr> thrown(static_cast<size_t>(size));
  std::vector<std::thread> threads;
  for (int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank own(meeting, rank);
      try {
        work(&own);
      } catch (...) {
        thrown.at(static_cast<size_t>(rank)) = std::current_exception();
        meeting.desert();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& exception : thrown)
    if (exception) std::rethrow_exception(exception);
}

}  // namespace ebm::test
