// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace ebm {

/// Seconds of a clock that never goes back.
[[nodiscard]] double steady_seconds();

/// Adds up the time while it runs.
class StopWatch {
 public:
  /// Stands, at `seconds`. `now` is the clock; none: steady_seconds.
  explicit StopWatch(double seconds = 0, std::function<double()> now = {});
  /// Neither does anything a second time.
  void start();
  void stop();
  [[nodiscard]] double seconds() const;

 private:
  std::function<double()> now_;
  double seconds_;      // until it was started
  double started_ = 0;  // by now_
  bool running_ = false;
};

}  // namespace ebm
