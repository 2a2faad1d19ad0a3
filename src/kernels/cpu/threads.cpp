// SPDX-License-Identifier: MIT
#include "kernels/cpu/threads.h"

#include <omp.h>
#include <signal.h>

#include <algorithm>
#include <bit>

namespace ebm::cpu {

namespace {

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// While it lives, this thread and those that it starts take no signals.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Threads::Threads(int count) {
  const NoSignals helpers_take_none;  // their stacks are no place for a handler: see train/signals.h
  for (int i = 1; i < count; ++i) helpers_.push_back(std::make_unique<Helper>());
  for (int i = 1; i < count; ++i) {
    Helper& helper = *helpers_[static_cast<size_t>(i - 1)];
    helper.thread = std::thread([this, &helper, mine = parts_of(i)] { help(helper, mine); });
  }
}

Threads::~Threads() {
  stop_ = true;
  for (const auto& helper : helpers_) {
    ask(*helper, job_ + 1);
    helper->thread.join();
  }
}

void Threads::ask(Helper& helper, uint32_t job) {
  using State = Helper::State;
  helper.asked = job;
  if (helper.state.exchange(State::awake) == State::asleep) helper.state.notify_one();
}

void Threads::share(int parts, Call call, const void* f) {
  call_.store(call, std::memory_order_relaxed);
  f_.store(f, std::memory_order_relaxed);
  unfinished_.store(parts, std::memory_order_relaxed);
  ++job_;
  open_.store(uint64_t{job_} << 32 | ((uint64_t{1} << parts) - 1), std::memory_order_release);
  const size_t helping = std::min(static_cast<size_t>(parts) - 1, helpers_.size());
  for (size_t i = 0; i < helping; ++i) ask(*helpers_[i], job_);
  work(parts_of(0));
  constexpr int patience = 1000;  // then the helper may need this core to go on
  for (int i = 0; unfinished_.load(std::memory_order_acquire) > 0; ++i) {
    if (i < patience) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
}

/// The parts that a thread begins with, as bits: every count()-th. So a core finds in its cache what it wrote
/// for the job before; to get it from another core's takes longer than most formulas.
uint32_t Threads::parts_of(int thread) const {
  uint32_t parts = 0;
  for (int part = thread; part < most_parts; part += count()) parts |= uint32_t{1} << part;
  return parts;
}

/// Does parts, those of `mine` first, until none is left to begin.
void Threads::work(uint32_t mine) {
  uint64_t open = open_.load(std::memory_order_acquire);
  while (const auto all = static_cast<uint32_t>(open)) {
    const Call call = call_.load(std::memory_order_relaxed);
    const void* const f = f_.load(std::memory_order_relaxed);
    const int part = std::countr_zero((all & mine) != 0 ? all & mine : all);
    if (open_.compare_exchange_weak(open, open & ~(uint64_t{1} << part), std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
      call(f, part);
      unfinished_.fetch_sub(1, std::memory_order_release);
      open = open_.load(std::memory_order_acquire);
    }
  }
}

/// Until ask() wakes the helper. ask() asks first and looks at the state afterwards, the helper the other way
/// round: so one of them sees the other.
void Threads::sleep(Helper& helper, uint32_t done) {
  using State = Helper::State;
  helper.state = State::asleep;
  if (helper.asked == done) helper.state.wait(State::asleep);
  helper.state = State::awake;
}

void Threads::help(Helper& helper, uint32_t mine) {
  omp_set_num_threads(1);         // for oneDNN: this thread is all it may use
  constexpr int patience = 2000;  // some 50 us: longer than between two jobs of an iteration
  uint32_t done = 0;
  for (;;) {
    for (int i = 0; i < patience && helper.asked.load(std::memory_order_relaxed) == done; ++i) pause();
    if (helper.asked == done) sleep(helper, done);
    done = helper.asked;
    if (stop_) return;
    work(mine);
  }
}

}  // namespace ebm::cpu
