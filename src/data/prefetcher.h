// SPDX-License-Identifier: MIT
#pragma once
// A thread that fills a ring of buffers with the batches of the iterations to come.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace ebm {

class Prefetcher {
 public:
  /// Writes the batch of an iteration into a slot; runs on the prefetcher's thread.
  using Fill = std::function<void(uint64_t iteration, std::span<uint8_t> slot)>;

  /// Iteration i uses slots[i % size].
  Prefetcher(std::vector<std::span<uint8_t>> slots, Fill fill);
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// Starts (again) at `iteration`; nobody uses a slot any more.
  void start(uint64_t iteration);
  /// Waits until the slot of `iteration` is filled. From now on slots of iterations before `oldest_in_use`
  /// (at most `iteration`) may be filled anew. Throws what filling has thrown.
  void wait(uint64_t iteration, uint64_t oldest_in_use);

 private:
  void run();

  std::vector<std::span<uint8_t>> slots_;
  Fill fill_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  int64_t starts_ = 0;   // calls of start
  uint64_t filled_ = 0;  // the iterations before it are filled
  uint64_t oldest_ = 0;  // the first one whose slot is in use
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace ebm
