// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

#include "kernels/cuda/interface.h"

namespace ebm::cuda {

/// The number of the GPU that is chosen. Throws Error where there is none for a process's place in its node.
int number_of(const GpuChoice& choice);

/// Looks after the other ranks while the host waits for a GPU, whose queue may wait for theirs.
class Watch {
 public:
  virtual ~Watch() = default;
  /// At a wait's begin, and after so many seconds of it. Throws Error where a rank fails or was given up, once the
  /// queue waits for none.
  virtual void look(double waited) = 0;
};

/// One GPU and a stream that work of a Kernels is queued on.
class Context {
 public:
  /// Throws Error when there is no such GPU or it cannot be used.
  explicit Context(int device);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// The stream, with its GPU made the calling thread's current one: whoever queues work asks here each time.
  cudaStream_t stream() const;
  /// Waits for what was queued, or for what was queued before the event was recorded. Throws Error.
  void synchronize() const;
  void synchronize(cudaEvent_t event) const;
  /// Waits as synchronize() does before memory is freed, whose call would wait for ever where a rank is gone.
  void settle() const noexcept;
  /// Who looks after waits from now on; null: nobody.
  void watch(Watch* watch) { watch_ = watch; }

  /// What is queued here from now on waits for what `other` was given so far.
  void wait_for(const Context& other);
  /// Notes what was queued here so far; then what is queued from now on waits for what `other` has noted.
  void note();
  void wait_for_noted(const Context& other) const;

  /// Whether this project's kernels may start before the one before them in the stream has ended (launch.cuh): on a GPU that can,
  /// where EBM_PROGRAMMATIC_LAUNCH is 1.
  bool launches_early() const { return launches_early_; }

  int device() const { return device_; }
  const std::string& description() const { return description_; }
  /// Of the GPU's model.
  const std::string& name() const { return name_; }
  /// 90 for compute capability 9.0.
  int compute_capability() const { return compute_capability_; }
  /// Its multiprocessors (SMs).
  int64_t processors() const { return processors_; }

 private:
  int device_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t reached_ = nullptr;  // for wait_for
  bool launches_early_ = false;
  cudaEvent_t noted_ = nullptr;
  Watch* watch_ = nullptr;
  std::string description_;
  std::string name_;
  int compute_capability_ = 0;
  int64_t processors_ = 1;
};

/// Device memory that the CUDA half keeps for itself (scratch, workspaces): not zeroed, not counted.
class DeviceBlock {
 public:
  explicit DeviceBlock(size_t bytes);
  ~DeviceBlock();
  DeviceBlock(const DeviceBlock&) = delete;
  DeviceBlock& operator=(const DeviceBlock&) = delete;

  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

}  // namespace ebm::cuda
