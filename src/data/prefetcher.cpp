// SPDX-License-Identifier: MIT
#include "data/prefetcher.h"

#include <utility>

namespace ebm {

Prefetcher::Prefetcher(std::vector<std::span<uint8_t>> slots, Fill fill)
    : slots_(std::move(slots)), fill_(std::move(fill)), thread_([this] { run(); }) {}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Prefetcher::start(uint64_t iteration) {
  const std::lock_guard lock(mutex_);
  ++starts_;
  filled_ = oldest_ = iteration;
  failure_ = nullptr;
  changed_.notify_all();
}

void Prefetcher::wait(uint64_t iteration, uint64_t oldest_in_use) {
  std::unique_lock lock(mutex_);
  oldest_ = oldest_in_use;
  changed_.notify_all();
  changed_.wait(lock, [&] { return filled_ > iteration || failure_ != nullptr; });
  if (filled_ <= iteration) std::rethrow_exception(failure_);
}

void Prefetcher::run() {
  std::unique_lock lock(mutex_);
  const auto has_room = [&] {
    return starts_ > 0 && failure_ == nullptr && filled_ < oldest_ + slots_.size();
  };
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || has_room(); });
    if (stopping_) return;
    const int64_t starts = starts_;
    const uint64_t iteration = filled_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      fill_(iteration, slots_[iteration % slots_.size()]);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (starts != starts_) continue;  // no longer wanted
    failure_ = failure;
    if (failure == nullptr) ++filled_;
    changed_.notify_all();
  }
}

}  // namespace ebm
