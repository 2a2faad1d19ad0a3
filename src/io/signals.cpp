// SPDX-License-Identifier: MIT
#include "io/signals.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>

namespace ebm {

namespace {

// A signal handler can reach nothing but static storage.
std::atomic<int> first = 0;         // the first that came; 0: none
std::atomic<uint32_t> arrived = 0;  // all that came, a bit each by their place in `signals`
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

constexpr size_t stack_bytes = 64 << 10;  // a frame with all vector registers is of some 3 KiB

struct Signal {
  int number;
  const char* name;
};
constexpr Signal signals[] = {{SIGINT, "SIGINT"},   {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"},
                              {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"},
                              {SIGALRM, "SIGALRM"}};
static_assert(std::size(signals) == std::tuple_size_v<SignalActions>);

bool has_arrived(size_t i) {
  return (arrived & uint32_t{1} << i) != 0;
}

void remember(int signal) {
  for (size_t i = 0; i < std::size(signals); ++i) {
    if (signals[i].number != signal) continue;
    if (signal == SIGINT && has_arrived(i)) {
      std::signal(SIGINT, SIG_DFL);
      std::raise(SIGINT);
    }
    arrived |= uint32_t{1} << i;
  }
  int none = 0;
  first.compare_exchange_strong(none, signal);
}

void forget_all() {
  first = 0;
  arrived = 0;
}

/// Puts `remember` in place of the actions of the signals that `wanted` says yes to, and returns these.
template <typename Wanted>
SignalActions take_signals(Wanted wanted) {
  SignalActions previous;
  for (size_t i = 0; i < previous.size(); ++i) {
    struct sigaction before {};
    sigaction(signals[i].number, nullptr, &before);
    if (!wanted(before.sa_handler)) continue;
    if (before.sa_handler == remember) before.sa_handler = SIG_DFL;  // that a StopRequest left
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    previous[i] = before;
    sigaction(signals[i].number, &action, nullptr);
  }
  return previous;
}

void give_back(const SignalActions& previous, size_t i) {
  if (previous[i]) sigaction(signals[i].number, &*previous[i], nullptr);
}

}  // namespace

StopRequest::StopRequest() : stack_(std::make_unique<char[]>(stack_bytes)) {
  forget_all();
  stack_t stack{};
  stack.ss_sp = stack_.get();
  stack.ss_size = stack_bytes;
  sigaltstack(&stack, &previous_stack_);
  previous_ = take_signals([](auto* handler) { return handler != SIG_IGN; });
}

StopRequest::~StopRequest() {
  // Those that came stay caught, for one of them may come again and again while the program ends.
  for (size_t i = 0; i < previous_.size(); ++i) {
    if (!has_arrived(i) || signals[i].number == SIGINT) give_back(previous_, i);
  }
  forget_all();
  sigaltstack(&previous_stack_, nullptr);
}

std::optional<StopRequest::Stop> StopRequest::requested() const {
  return stop_of(first);
}

std::optional<StopRequest::Stop> StopRequest::stop_of(int number) {
  const auto* found = std::find_if(std::begin(signals), std::end(signals),
                                   [number](const Signal& s) { return s.number == number; });
  if (found == std::end(signals)) return std::nullopt;
  return Stop{found->number, found->name};
}

SignalsWait::SignalsWait() : previous_(take_signals([](auto* handler) { return handler == SIG_DFL; })) {}

SignalsWait::~SignalsWait() {
  for (size_t i = 0; i < previous_.size(); ++i) give_back(previous_, i);
  for (size_t i = 0; i < previous_.size(); ++i) {
    if (!previous_[i] || !has_arrived(i)) continue;
    arrived &= ~(uint32_t{1} << i);
    first = 0;
    std::raise(signals[i].number);
  }
}

}  // namespace ebm
