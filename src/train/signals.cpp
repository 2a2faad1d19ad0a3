// SPDX-License-Identifier: MIT
#include "train/signals.h"

#include <csignal>

namespace ebm {

namespace {

// A signal handler can reach nothing but static storage.
volatile std::sig_atomic_t received = 0;

constexpr int signals[] = {SIGINT, SIGTERM, SIGUSR1};

void remember(int signal) {
  if (received == SIGINT && signal == SIGINT) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
  received = signal;
}

}  // namespace

StopRequest::StopRequest() {
  received = 0;
  for (const int signal : signals) {
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
}

StopRequest::~StopRequest() {
  for (const int signal : signals) std::signal(signal, SIG_DFL);
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
