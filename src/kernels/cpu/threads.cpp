// SPDX-License-Identifier: MIT
#include "kernels/cpu/threads.h"

#include <omp.h>

#include <algorithm>
#include <bit>

namespace ebm::cpu {

namespace {

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

Threads::Threads(int count) {
  for (int i = 1; i < count; ++i) helpers_.push_back(std::make_unique<Helper>());
  for (const auto& helper : helpers_)
    helper->thread = std::thread([this, &helper = *helper] { help(helper); });
}

Threads::~Threads() {
  stop_ = true;
  for (const auto& helper : helpers_) {
    ++helper->asked;
    helper->asked.notify_one();
    helper->thread.join();
  }
}

void Threads::share(int parts, Call call, const void* f) {
  call_.store(call, std::memory_order_relaxed);
  f_.store(f, std::memory_order_relaxed);
  unfinished_.store(parts, std::memory_order_relaxed);
  ++job_;
  open_.store(uint64_t{job_} << 32 | ((uint64_t{1} << parts) - 1), std::memory_order_release);
  const int helping = std::min<int>(parts - 1, static_cast<int>(helpers_.size()));
  for (int i = 0; i < helping; ++i) {
    std::atomic<uint32_t>& asked = helpers_[static_cast<size_t>(i)]->asked;
    asked.store(job_, std::memory_order_release);
    asked.notify_one();
  }
  work(From::front);
  constexpr int patience = 1000;  // then the helper may need this core to go on
  for (int i = 0; unfinished_.load(std::memory_order_acquire) > 0; ++i) {
    if (i < patience) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

/// Does parts until none is left to begin. The caller begins at the front, helpers at the back: so two
/// threads find in their caches what they wrote for the job before.
void Threads::work(From from) {
  uint64_t open = open_.load(std::memory_order_acquire);
  while (const auto bits = static_cast<uint32_t>(open)) {
    const Call call = call_.load(std::memory_order_relaxed);
    const void* const f = f_.load(std::memory_order_relaxed);
    const int part =
        from == From::front ? std::countr_zero(bits) : static_cast<int>(std::bit_width(bits)) - 1;
    if (open_.compare_exchange_weak(open, open & ~(uint64_t{1} << part), std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      call(f, part);
      unfinished_.fetch_sub(1, std::memory_order_release);
      open = open_.load(std::memory_order_acquire);
    }
  }
}

void Threads::help(Helper& helper) {
  omp_set_num_threads(1);         // for oneDNN: this thread is all it may use
  constexpr int patience = 2000;  // some 50 us: longer than between two jobs of an iteration
  uint32_t done = 0;
  for (;;) {
    for (int i = 0; i < patience && helper.asked.load(std::memory_order_relaxed) == done; ++i) pause();
    helper.asked.wait(done, std::memory_order_acquire);
    done = helper.asked.load(std::memory_order_acquire);
    if (stop_) return;
    work(From::back);
  }
}

}  // namespace ebm::cpu
