// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <thread>
#include <type_traits>
#include <vector>

#include "kernels/cpu/parts.h"

namespace ebm::cpu {

/// Threads that share work of microseconds. The caller works too, and does itself what no helper has begun,
/// so it never waits for a helper that the operating system keeps from running: on a busy machine a run loses
/// the cores that others use, and no more. (In an OpenMP team every thread must come to every barrier, which
/// on a machine twice overcommitted made an iteration ten times slower than one thread alone.)
class Threads {
 public:
  /// `count` threads, the caller included. One thread at a time may call the functions below.
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return static_cast<int>(helpers_.size()) + 1; }

  /// f(part) for every part in 0 .. parts, some at the same time; f must not throw. At most max_parts.
  template <class F>
  void run(int64_t parts, const F& f) {
    wait();
    if (helpers_.empty() || parts < 2) {
      for (int64_t part = 0; part < parts; ++part) f(part);
    } else {
      share(static_cast<int>(parts), call_of<F>, &f);
      wait();
    }
  }

  /// run, but for the wait at its end: the caller goes on while others may still be at their parts. The next
  /// call of run or start waits for them; before anything else looks at what f wrote, somebody calls wait().
  /// f is copied.
  template <class F>
  void start(int64_t parts, const F& f) {
    static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= sizeof(kept_));
    wait();
    if (helpers_.empty() || parts < 2) {
      for (int64_t part = 0; part < parts; ++part) f(part);
    } else {
      share(static_cast<int>(parts), call_of<F>, new (kept_) F(f));
    }
  }

  /// Until all that was started is done.
  void wait() {
    if (!all_finished()) wait_and_help();
  }

 private:
  using Call = void (*)(const void* f, int part);
  template <class F>
  static void call_of(const void* f, int part) {
    (*static_cast<const F*>(f))(part);
  }

  /// A thread's own parts of the job at hand. Between two cores a cache line travels longer than many a part
  /// takes. So the caller alone writes what a thread reads to begin, and that thread alone notes what it
  /// began, unless it is late and another one takes from its share.
  struct Share {
    alignas(64) std::atomic<uint64_t> job{0};  // its number (high half) and its parts, as bits
    std::atomic<Call> call{nullptr};
    std::atomic<const void*> f{nullptr};
    /// The last job of which a part was begun, and the parts of it that were, as bits.
    alignas(64) std::atomic<uint64_t> begun{0};
  };

  struct Helper {
    Share share;
    alignas(64) std::atomic<uint32_t> finished{0};  // parts that this helper has done in all, modulo 2^32
    enum class State : int { awake, asleep };
    alignas(64) std::atomic<State> state{State::awake};
    std::thread thread;
  };

  static uint32_t take(Share& share);
  static void sleep(Helper& helper, uint32_t done);
  void publish(Share& share, uint32_t bits, Call call, const void* f, std::memory_order order);
  void wake(Helper& helper);
  uint32_t help_others();
  void share(int parts, Call call, const void* f);
  void wait_and_help();
  void help(Helper& helper);
  bool all_finished() const {
    uint32_t finished = 0;
    for (const auto& helper : helpers_) finished += helper->finished.load(std::memory_order_acquire);
    return finished == given_;
  }
  uint32_t parts_of(int thread) const;

  std::atomic<bool> stop_{false};
  uint32_t job_ = 0;
  uint32_t given_ = 0;  // parts that the helpers have done, or are about to do, in all, modulo 2^32
  Share own_;           // the caller's
  std::vector<std::unique_ptr<Helper>> helpers_;
  alignas(64) std::byte kept_[512];  // what start() was given
};

}  // namespace ebm::cpu
