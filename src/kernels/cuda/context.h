// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

namespace ebm::cuda {

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
  void synchronize() const;

  /// What is queued here from now on waits for what `other` was given so far.
  void wait_for(const Context& other);

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
