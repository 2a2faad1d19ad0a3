// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string>

namespace ebm {

/// Turns SIGINT, SIGTERM and SIGUSR1 into a question that the training loop asks once an iteration. While an
/// object lives, the first of them only asks to stop (a second SIGINT ends the program at once, as if nobody
/// listened); the default actions come back with the destructor. One object at a time, on the thread that
/// made it.
class StopRequest {
 public:
  StopRequest();
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  struct Stop {
    std::string name;  ///< "SIGTERM" ...
    int exit_status;   ///< 143 for SIGTERM, as a batch system expects; 0 for the two others
  };
  std::optional<Stop> requested() const;

 private:
  // Handlers run on a stack of their own: kernels of oneDNN's sgemm keep data of the heap where the stack
  // pointer points, and a signal's frame on top of it destroys the heap.
  std::unique_ptr<char[]> stack_;
  stack_t previous_stack_{};
};

}  // namespace ebm
