// SPDX-License-Identifier: MIT
#include "io/stop_watch.h"

#include <chrono>
#include <utility>

namespace ebm {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

StopWatch::StopWatch(double seconds, std::function<double()> now)
    : now_(now ? std::move(now) : steady_seconds), seconds_(seconds) {}

void StopWatch::start() {
  if (!running_) started_ = now_();
  running_ = true;
}

void StopWatch::stop() {
  seconds_ = seconds();
  running_ = false;
}

double StopWatch::seconds() const {
  return running_ ? seconds_ + (now_() - started_) : seconds_;
}

}  // namespace ebm
