// SPDX-License-Identifier: MIT
#include "kernels/cuda/cudnn/stopwatch.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "kernels/cuda/check.h"

namespace ebm::cuda {

namespace {

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) {
    check(cudaEventRecordWithFlags(event_, stream, cudaEventRecordDefault), "cudaEventRecordWithFlags");
  }
  /// Waits for both.
  float milliseconds_since(const Event& start) const {
    check(cudaEventSynchronize(event_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// The three arrays of a pass, full of zeros.
class Arrays {
 public:
  Arrays(const PlanRequest& request, cudaStream_t stream)
      : x_(bytes(request, request.shape.rows * request.shape.input.size())),
        weight_(bytes(request, request.shape.output_channels * request.shape.kernel.height *
                                   request.shape.kernel.width * request.shape.input.channels)),
        y_(bytes(request, request.shape.rows * request.shape.output().size())) {
    for (const Block* block : {&x_, &weight_, &y_}) {
      check(cudaMemsetAsync(block->memory.data(), 0, block->bytes, stream),
            "cudaMemsetAsync of arrays to time with");
    }
  }

  void run(const Plan& plan, cudnnHandle_t handle, void* workspace) const {
    plan.run(handle, x_.memory.data(), weight_.memory.data(), y_.memory.data(), workspace);
  }

 private:
  struct Block {
    explicit Block(size_t size) : bytes(size), memory(size) {}
    size_t bytes;
    Scratch memory;
  };
  static size_t bytes(const PlanRequest& request, int64_t elements) {
    return static_cast<size_t>(elements * size_of(request.type()));
  }

  Block x_, weight_, y_;
};

}  // namespace

std::optional<size_t> fastest_of(const std::vector<Plan>& plans, const PlanRequest& request,
                                 const Context& context, cudnnHandle_t handle, void* workspace) {
  constexpr int runs = 5;  // the shortest counts; the one before them loads the kernels
  const cudaStream_t stream = context.stream();
  std::optional<Arrays> arrays;
  try {
    arrays.emplace(request, stream);
  } catch (const Error&) {
    cudaGetLastError();
    return std::nullopt;
  }
  Event start, end;
  std::optional<size_t> fastest;
  float least = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < plans.size(); ++i) {
    arrays->run(plans[i], handle, workspace);
    for (int run = 0; run < runs; ++run) {
      start.record(stream);
      arrays->run(plans[i], handle, workspace);
      end.record(stream);
      const float milliseconds = end.milliseconds_since(start);
      if (milliseconds < least) {
        least = milliseconds;
        fastest = i;
      }
    }
  }
  return fastest;
}

}  // namespace ebm::cuda
