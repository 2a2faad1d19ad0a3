// SPDX-License-Identifier: MIT
// The threads of a block as fibers of Boost.Context. A thread that meets no barrier costs no switch: the
// fiber that ran it goes on with the next one.
#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <vector>

#include "cuda_runtime.h"

namespace ebm::emulated {

namespace {

namespace context = boost::context::detail;

#ifdef __SANITIZE_ADDRESS__
constexpr size_t stack_bytes = 512 * 1024;
#else
constexpr size_t stack_bytes = 128 * 1024;
#endif

/// A stack with a page below it that faults.
void* new_stack() {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const low = mmap(nullptr, stack_bytes + page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (low == MAP_FAILED || mprotect(low, page, PROT_NONE) != 0)
    violation("no memory for the stack of a thread");
  return static_cast<char*>(low) + page + stack_bytes;
}

/// Orders 0 .. n - 1 as (first + i * step) mod n, with step prime to n: cheap, and without a pattern that
/// code could lean on.
class Order {
 public:
  explicit Order(uint64_t n) : n_(n) {
    if (state() == 0) return;  // the natural order
    position_ = random() % n;
    step_ = 1 + random() % n;
    while (std::gcd(step_, n) != 1) ++step_;
    step_ %= n;
  }
  uint64_t next() {
    const uint64_t now = position_;
    position_ += step_;
    if (position_ >= n_) position_ -= n_;
    return now;
  }

 private:
  static uint64_t& state() {
    static uint64_t value = [] {
      const char* seed = std::getenv("EBM_EMULATED_SEED");
      return (seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1) * 0x9E3779B97F4A7C15u;
    }();
    return value;
  }
  static uint64_t random() {  // xorshift64
    uint64_t& x = state();
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
  }

  uint64_t n_;
  uint64_t position_ = 0;
  uint64_t step_ = 1;
};

uint64_t waiting_threads = 0;  // of the grid that runs: how often cudaGridDependencySynchronize was called

struct Fiber {
  context::fcontext_t resume_at = nullptr;
  uint3 thread{};
};

class Block {
 public:
  /// The one block that runs.
  static Block& instance() {
    static Block block;
    return block;
  }

  void set_threads(dim3 size, const Work& thread) {
    body_ = &thread;
    threads_.clear();
    for (unsigned z = 0; z < size.z; ++z) {
      for (unsigned y = 0; y < size.y; ++y) {
        for (unsigned x = 0; x < size.x; ++x) threads_.push_back({x, y, z});
      }
    }
  }

  void run() {
    unstarted_ = threads_.size();
    start_order_ = Order(unstarted_);
    while (unstarted_ > 0) {
      if (idle_.empty()) idle_.push_back(new_fiber());
      resume(idle_.back());
    }
    while (!waiting_.empty()) {
      if (waiting_.size() != threads_.size()) {
        violation(
            "%zu of the %zu threads of block (%u, %u, %u) wait at a barrier that the others do not reach",
            waiting_.size(), threads_.size(), blockIdx.x, blockIdx.y, blockIdx.z);
      }
      resuming_.swap(waiting_);
      Order order(resuming_.size());
      for (size_t i = 0; i < resuming_.size(); ++i) resume(resuming_[order.next()]);
      resuming_.clear();
    }
  }

  /// Called on a fiber: waits until all threads of the block have come here.
  void barrier() {
    if (running_ == nullptr) violation("__syncthreads outside a kernel");
    running_->thread = threadIdx;
    waiting_.push_back(running_);
    leave();
  }

 private:
  static Fiber* new_fiber() {
    static std::vector<std::unique_ptr<Fiber>> all;
    Fiber* const fiber = all.emplace_back(std::make_unique<Fiber>()).get();
    fiber->resume_at = context::make_fcontext(new_stack(), stack_bytes, [](context::transfer_t caller) {
      Block& block = instance();
      block.scheduler_ = caller.fctx;
      block.run_threads();
    });
    return fiber;
  }

  /// The life of a fiber: thread after thread, asleep between blocks.
  [[noreturn]] void run_threads() {
    for (;;) {
      while (unstarted_ > 0) {
        --unstarted_;
        threadIdx = threads_[start_order_.next()];
        (*body_)();
      }
      idle_.push_back(running_);
      leave();
    }
  }

  void leave() {
    const context::transfer_t caller = context::jump_fcontext(scheduler_, nullptr);
    scheduler_ = caller.fctx;
  }

  void resume(Fiber* fiber) {
    if (!idle_.empty() && idle_.back() == fiber) idle_.pop_back();
    running_ = fiber;
    threadIdx = fiber->thread;
    fiber->resume_at = context::jump_fcontext(fiber->resume_at, nullptr).fctx;
    running_ = nullptr;
  }

  const Work* body_ = nullptr;
  std::vector<uint3> threads_;
  size_t unstarted_ = 0;
  Order start_order_{1};
  Fiber* running_ = nullptr;
  std::vector<Fiber*> idle_, waiting_, resuming_;
  context::fcontext_t scheduler_ = nullptr;
};

}  // namespace

void block_barrier() {
  Block::instance().barrier();
}

uint64_t random_below(uint64_t n) {
  return Order(n).next();
}

void run_grid(dim3 grid, dim3 block, const Work& thread) {
  Block& threads = Block::instance();
  threads.set_threads(block, thread);
  gridDim = grid;
  blockDim = block;
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z;
  Order order(blocks);
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t b = order.next();
    blockIdx = {static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                static_cast<unsigned>(b / grid.x / grid.y)};
    threads.run();
  }
}

void wait_for_grid() {
  ++waiting_threads;
}

void run_early_grid(dim3 grid, dim3 block, const Work& thread) {
  waiting_threads = 0;
  run_grid(grid, block, thread);
  const uint64_t all = uint64_t{grid.x} * grid.y * grid.z * block.x * block.y * block.z;
  if (waiting_threads != all)
    violation(
        "%llu of the %llu threads of a grid that starts early do not call cudaGridDependencySynchronize once",
        static_cast<unsigned long long>(all - waiting_threads), static_cast<unsigned long long>(all));
}

}  // namespace ebm::emulated
