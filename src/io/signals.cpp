// SPDX-License-Identifier: MIT
#include "io/signals.h"

#include <algorithm>
#include <atomic>
#include <iterator>

namespace ebm {

namespace {

// A signal handler can reach nothing but static storage.
std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free);

constexpr size_t stack_bytes = 64 << 10;  // a frame with all vector registers is of some 3 KiB

struct Signal {
  int number;
  const char* name;
};
constexpr Signal signals[] = {{SIGINT, "SIGINT"},   {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"},
                              {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"},
                              {SIGALRM, "SIGALRM"}};
static_assert(std::size(signals) == std::tuple_size_v<SignalActions>);

void remember(int signal) {
  if (received == SIGINT && signal == SIGINT) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
  received = signal;
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

void give_back(const SignalActions& previous, int kept = 0) {
  for (size_t i = 0; i < previous.size(); ++i) {
    if (previous[i] && signals[i].number != kept) sigaction(signals[i].number, &*previous[i], nullptr);
  }
}

}  // namespace

StopRequest::StopRequest() : stack_(std::make_unique<char[]>(stack_bytes)) {
  received = 0;
  stack_t stack{};
  stack.ss_sp = stack_.get();
  stack.ss_size = stack_bytes;
  sigaltstack(&stack, &previous_stack_);
  previous_ = take_signals([](auto* handler) { return handler != SIG_IGN; });
}

StopRequest::~StopRequest() {
  give_back(previous_, received == SIGINT ? 0 : received.load());
  received = 0;
  sigaltstack(&previous_stack_, nullptr);
}

std::optional<StopRequest::Stop> StopRequest::requested() const {
  const auto* found = std::find_if(std::begin(signals), std::end(signals),
                                   [](const Signal& s) { return s.number == received; });
  if (found == std::end(signals)) return std::nullopt;
  return Stop{found->number, found->name};
}

SignalsWait::SignalsWait() : previous_(take_signals([](auto* handler) { return handler == SIG_DFL; })) {}

SignalsWait::~SignalsWait() {
  give_back(previous_);
  for (size_t i = 0; i < previous_.size(); ++i) {
    if (!previous_[i] || received != signals[i].number) continue;
    received = 0;
    std::raise(signals[i].number);
  }
}

}  // namespace ebm
