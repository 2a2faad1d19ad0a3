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

// In pauses, of some 20 ns: how long one that waits lets others finish before it helps them; and how long it
// waits for what should be here already, longer than between two jobs of an iteration.
constexpr int moment = 100, patience = 2000;

/// The halves of Share::job and Share::begun.
uint32_t number(uint64_t job) {
  return static_cast<uint32_t>(job >> 32);
}
uint32_t parts_in(uint64_t job) {
  return static_cast<uint32_t>(job);
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
  const NoSignals helpers_take_none;  // their stacks are no place for a handler: see io/signals.h
  for (int i = 1; i < count; ++i) helpers_.push_back(std::make_unique<Helper>());
  for (const auto& helper : helpers_) helper->thread = std::thread([this, &h = *helper] { help(h); });
}

Threads::~Threads() {
  wait();
  stop_ = true;
  ++job_;
  for (const auto& helper : helpers_) {
    publish(helper->share, 0, nullptr, nullptr, std::memory_order_seq_cst);
    wake(*helper);
  }
  for (const auto& helper : helpers_) helper->thread.join();
}

/// The parts that a thread begins with, as bits: every count()-th. So a core finds in its cache what it wrote
/// for the job before; to get it from another core's takes longer than most formulas.
uint32_t Threads::parts_of(int thread) const {
  uint32_t parts = 0;
  for (int part = thread; part < max_parts; part += count()) parts |= uint32_t{1} << part;
  return parts;
}

void Threads::publish(Share& share, uint32_t bits, Call call, const void* f, std::memory_order order) {
  share.call.store(call, std::memory_order_relaxed);
  share.f.store(f, std::memory_order_relaxed);
  share.job.store(uint64_t{job_} << 32 | bits, order);
}

/// After publish(). A helper that goes to sleep says so first and looks at its share afterwards (sleep), here
/// it is the other way round: so one of the two sees the other, if publish was sequentially consistent. That
/// waits until all stores before it are done; to release them does not, and then a helper may, seldom, sleep
/// through one job, whose parts the caller does.
void Threads::wake(Helper& helper) {
  using State = Helper::State;
  if (helper.state == State::asleep && helper.state.exchange(State::awake) == State::asleep) {
    helper.state.notify_one();
  }
}

void Threads::sleep(Helper& helper, uint32_t done) {
  using State = Helper::State;
  helper.state = State::asleep;
  if (number(helper.share.job) == done) helper.state.wait(State::asleep);
  helper.state = State::awake;
}

/// Does the parts of a share that nobody has begun; returns how many. Where the caller has gone on to another
/// job meanwhile, all parts of this one were begun, and `begun` is not what it was.
uint32_t Threads::take(Share& share) {
  uint32_t taken = 0;
  uint64_t begun = share.begun.load(std::memory_order_acquire);
  for (;;) {
    const uint64_t job = share.job.load(std::memory_order_acquire);
    const Call call = share.call.load(std::memory_order_relaxed);
    const void* const f = share.f.load(std::memory_order_relaxed);
    const uint64_t before = number(begun) == number(job) ? begun : uint64_t{number(job)} << 32;
    const uint32_t left = parts_in(job) & ~parts_in(before);
    if (left == 0) return taken;
    const int part = std::countr_zero(left);
    if (share.begun.compare_exchange_weak(begun, before | uint64_t{1} << part, std::memory_order_acq_rel,
                                          std::memory_order_acquire)) {
      call(f, part);
      ++taken;
      begun = share.begun.load(std::memory_order_acquire);
    }
  }
}

uint32_t Threads::help_others() {
  uint32_t taken = take(own_);
  for (const auto& helper : helpers_) taken += take(helper->share);
  return taken;
}

void Threads::share(int parts, Call call, const void* f) {
  const auto all = static_cast<uint32_t>((uint64_t{1} << parts) - 1);
  ++job_;
  // The caller's share comes first: a helper that is done with its own looks there.
  publish(own_, all & parts_of(0), call, f, std::memory_order_release);
  const int helping = std::min(parts, count()) - 1;
  for (int i = 0; i < helping; ++i) {
    Helper& helper = *helpers_[static_cast<size_t>(i)];
    publish(helper.share, all & parts_of(i + 1), call, f, std::memory_order_release);
    wake(helper);
  }
  given_ += static_cast<uint32_t>(parts) - take(own_);
}

void Threads::wait_and_help() {
  for (int i = 0; !all_finished(); ++i) {
    if (i >= moment) given_ -= help_others();
    if (i < patience) {
      pause();
    } else {
      std::this_thread::yield();  // the helper may need this core to go on
    }
  }
}

void Threads::help(Helper& helper) {
  omp_set_num_threads(1);  // for oneDNN: this thread is all it may use
  uint32_t done = 0, finished = 0;
  for (;;) {
    for (int i = 0; number(helper.share.job) == done; ++i) {
      pause();
      if (i == moment) {
        finished += help_others();
        helper.finished.store(finished, std::memory_order_release);
      }
      if (i == patience) {
        sleep(helper, done);
        i = 0;
      }
    }
    done = number(helper.share.job);
    if (stop_) return;
    finished += take(helper.share);
    helper.finished.store(finished, std::memory_order_release);
  }
}

}  // namespace ebm::cpu
