// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"

namespace ebm::cuda {

/// A moment of a stream's work. Each throws Error.
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

}  // namespace ebm::cuda
