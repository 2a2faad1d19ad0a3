// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/cpu/parts.h"

namespace ebm::cpu {

/// Threads that share work of microseconds. The caller works too, and does itself what no helper has begun,
/// so it never waits for a helper that the operating system keeps from running: on a busy machine a run loses
/// the cores that others use, and no more. (In an OpenMP team every thread must come to every barrier, which
/// on a machine twice overcommitted made an iteration ten times slower than one thread alone.)
class Threads {
 public:
  /// `count` threads, the caller included. One thread at a time may call run().
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return static_cast<int>(helpers_.size()) + 1; }

  /// f(part) for every part in 0 .. parts, some at the same time; f must not throw. At most most_parts.
  template <class F>
  void run(int64_t parts, const F& f) {
    if (helpers_.empty() || parts < 2) {
      for (int64_t part = 0; part < parts; ++part) f(part);
    } else {
      share(
          static_cast<int>(parts), [](const void* g, int part) { (*static_cast<const F*>(g))(part); }, &f);
    }
  }

 private:
  using Call = void (*)(const void* f, int part);

  struct alignas(64) Helper {
    std::atomic<uint32_t> asked{0};  // the last job that this helper was asked to help with
    enum class State : int { awake, asleep };
    std::atomic<State> state{State::awake};
    std::thread thread;
  };

  static void ask(Helper& helper, uint32_t job);
  static void sleep(Helper& helper, uint32_t done);
  void share(int parts, Call call, const void* f);
  void work(uint32_t mine);
  void help(Helper& helper, uint32_t mine);
  uint32_t parts_of(int thread) const;

  // The job at hand. `open_` holds its number (high half) and a bit for each part that nobody has begun (low
  // half): a part is begun by clearing its bit, which fails if the job is another by now, so that call_ and
  // f_ read before are the job's own.
  std::atomic<Call> call_{nullptr};
  std::atomic<const void*> f_{nullptr};
  alignas(64) std::atomic<uint64_t> open_{0};
  alignas(64) std::atomic<int> unfinished_{0};
  std::atomic<bool> stop_{false};
  uint32_t job_ = 0;
  std::vector<std::unique_ptr<Helper>> helpers_;
};

}  // namespace ebm::cpu
