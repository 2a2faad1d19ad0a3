// SPDX-License-Identifier: MIT
#pragma once
// The signals that ask a program to end: SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU and SIGALRM. One
// that was ignored when the program started (nohup, a background job of a shell) stays ignored.

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "core/error.h"

namespace ebm {

/// What the signals did before handlers took their place; none where none did.
using SignalActions = std::array<std::optional<struct sigaction>, 7>;

/// Turns the signals into a question that a loop asks now and then. While an object lives, the first of them
/// only asks to stop (a second SIGINT ends the program at once, as if nobody listened); the earlier actions
/// come back with the destructor, but for the signal that asked: some repeat it until the program has ended
/// (SIGXCPU comes every second). One object at a time, on the thread that made it.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  struct Stop {
    int number;
    std::string name;  ///< "SIGTERM" ...
    /// Of a program that could keep what it had done: 143 for SIGTERM, as a batch system expects; 0 for
    /// others.
    int exit_status() const { return number == SIGTERM ? 128 + SIGTERM : 0; }
  };
  std::optional<Stop> requested() const;
  /// One of the signals by its number; nothing for another number, as 0.
  static std::optional<Stop> stop_of(int number);

 private:
  // Handlers run on a stack of their own: kernels of oneDNN's sgemm keep data of the heap where the stack
  // pointer points, and a signal's frame on top of it destroys the heap.
  std::unique_ptr<char[]> stack_;
  stack_t previous_stack_{};
  SignalActions previous_;
};

/// The end of a program that a signal stopped before it had done its work: 128 + the signal's number.
class Stopped : public Error {
 public:
  Stopped(const StopRequest::Stop& stop, const std::string& message)
      : Error("stopped by " + stop.name + message), number_(stop.number) {}
  int exit_status() const override { return 128 + number_; }

 private:
  int number_;
};

/// While it lives, signals that would end the program wait, and then they do: for files that are written
/// aside, which would be left there. Does nothing while a StopRequest lives. A second SIGINT does not wait.
class SignalsWait {
 public:
  SignalsWait();
  ~SignalsWait();
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

 private:
  SignalActions previous_;
};

}  // namespace ebm
