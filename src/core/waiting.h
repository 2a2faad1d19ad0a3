// SPDX-License-Identifier: MIT
// Waiting for other processes, by polling.
#pragma once

#include <chrono>
#include <string>

#include "core/error.h"

namespace ebm {

/// One wait, from its construction on.
class Waiting {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  /// Lets others compute, between two polls. Sleeps only where the wait is long already: messages move on while they
  /// are polled for.
  void rest() const;
  /// Whether it is time to ask for what is rarely so and dearer than a poll. To be called once a poll.
  bool is_time_to_look() { return polls_++ % 64 == 0; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  unsigned polls_ = 0;
};

/// The other processes did not answer for so long; `call` is what this one waits for.
Error no_answer(double seconds, const std::string& call);

}  // namespace ebm
