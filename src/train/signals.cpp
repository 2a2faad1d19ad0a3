// SPDX-License-Identifier: MIT
#include "train/signals.h"

namespace ebm {

namespace {

// A signal handler can reach nothing but static storage.
volatile std::sig_atomic_t received = 0;

constexpr size_t stack_bytes = 64 << 10;  // a frame with all vector registers is of some 3 KiB

constexpr int signals[] = {SIGINT, SIGTERM, SIGUSR1};

void remember(int signal) {
  if (received == SIGINT && signal == SIGINT) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
  received = signal;
}

}  // namespace

StopRequest::StopRequest() : stack_(std::make_unique<char[]>(stack_bytes)) {
  received = 0;
  stack_t stack{};
  stack.ss_sp = stack_.get();
  stack.ss_size = stack_bytes;
  sigaltstack(&stack, &previous_stack_);
  for (const int signal : signals) {
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigaction(signal, &action, nullptr);
  }
}

StopRequest::~StopRequest() {
  for (const int signal : signals) std::signal(signal, SIG_DFL);
  sigaltstack(&previous_stack_, nullptr);
}

std::optional<StopRequest::Stop> StopRequest::requested() const {
  switch (received) {
    case SIGINT:
      return Stop{"SIGINT", 0};
    case SIGUSR1:
      return Stop{"SIGUSR1", 0};
    case SIGTERM:
      return Stop{"SIGTERM", 128 + SIGTERM};
    default:
      return std::nullopt;
  }
}

}  // namespace ebm
