// SPDX-License-Identifier: MIT
#include "kernels/cuda/context.h"

#include "core/error.h"
#include "kernels/cuda/check.h"

namespace ebm::cuda {

Context::Context(int device) : device_(device) {
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
  if (device < 0 || device >= devices) {
    throw Error("there is no GPU " + std::to_string(device) + ": CUDA counts " + std::to_string(devices) +
                ", from 0");
  }
  check(cudaSetDevice(device), "cudaSetDevice");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  description_ = "cuda:" + std::to_string(device) + " (" + properties.name + ", compute capability " +
                 std::to_string(properties.major) + "." + std::to_string(properties.minor) + ", " +
                 std::to_string(properties.totalGlobalMem >> 30) + " GiB)";
  name_ = properties.name;
  compute_capability_ = 10 * properties.major + properties.minor;
  processors_ = properties.multiProcessorCount;
  // Non-blocking: no hidden order with the default stream, and no call of another library that uses it.
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  const cudaError_t status = cudaEventCreateWithFlags(&reached_, cudaEventDisableTiming);
  if (status != cudaSuccess) cudaStreamDestroy(stream_);
  check(status, "cudaEventCreateWithFlags");
}

Context::~Context() {
  cudaSetDevice(device_);
  cudaStreamSynchronize(stream_);
  cudaEventDestroy(reached_);
  cudaStreamDestroy(stream_);
}

cudaStream_t Context::stream() const {
  check(cudaSetDevice(device_), "cudaSetDevice");
  return stream_;
}

void Context::synchronize() const {
  check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
}

void Context::wait_for(const Context& other) {
  check(cudaEventRecord(reached_, other.stream()), "cudaEventRecord");
  check(cudaStreamWaitEvent(stream(), reached_, 0), "cudaStreamWaitEvent");
}

DeviceBlock::DeviceBlock(size_t bytes) {
  check(cudaMalloc(&data_, bytes), "cudaMalloc of scratch memory");
}

DeviceBlock::~DeviceBlock() {
  cudaFree(data_);
}

}  // namespace ebm::cuda
