// SPDX-License-Identifier: MIT
// cuDNN's functions, from a library that is opened at run time.
#pragma once

#include <cudnn.h>

#include <string>

namespace ebm::cuda {

/// The functions that this project calls: cuDNN's backend interface.
struct Cudnn {
  decltype(&cudnnGetVersion) version;
  decltype(&cudnnCreate) create;
  decltype(&cudnnDestroy) destroy;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnGetErrorString) error_string;
  decltype(&cudnnGetLastErrorString) last_error_string;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor;
  decltype(&cudnnBackendSetAttribute) set_attribute;
  decltype(&cudnnBackendGetAttribute) get_attribute;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;

  /// Throws Error with cuDNN's reason unless `status` is success. `call` is what was called, and for what.
  void check(cudnnStatus_t status, const std::string& call) const;
  void check(cudnnStatus_t status, const char* call) const {
    if (status != CUDNN_STATUS_SUCCESS) check(status, std::string(call));
  }
};

/// cuDNN from a file that the loader finds; it stays open. Throws Error, which says why not and what to do.
Cudnn open_cudnn(const std::string& file);

/// The file of the cuDNN that this was built with, such as "libcudnn.so.9".
std::string cudnn_file();

/// The cuDNN of this library: cudnn_file(), or what the emulation puts in its place.
Cudnn default_cudnn();

/// The default cuDNN and its handle on a stream.
class CudnnHandle {
 public:
  /// Throws Error.
  explicit CudnnHandle(cudaStream_t stream);
  ~CudnnHandle() { cudnn_.destroy(handle_); }
  CudnnHandle(const CudnnHandle&) = delete;
  CudnnHandle& operator=(const CudnnHandle&) = delete;

  const Cudnn& cudnn() const { return cudnn_; }
  cudnnHandle_t get() const { return handle_; }

 private:
  Cudnn cudnn_ = default_cudnn();
  cudnnHandle_t handle_ = nullptr;
};

}  // namespace ebm::cuda
