// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

namespace ebm {

/// Turns SIGINT, SIGTERM and SIGUSR1 into a question that the training loop asks once an iteration. While an
/// object lives, the first of them only asks to stop (a second SIGINT ends the program at once, as if nobody
/// listened); the default actions come back with the destructor. One object at a time.
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
};

}  // namespace ebm
