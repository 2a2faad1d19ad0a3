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
  // Non-blocking: no hidden order with the default stream, and no call of another library that uses it.
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}

Context::~Context() {
  cudaSetDevice(device_);
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

cudaStream_t Context::stream() const {
  check(cudaSetDevice(device_), "cudaSetDevice");
  return stream_;
}

void Context::synchronize() const {
  check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
}

Scratch::Scratch(size_t bytes) {
  check(cudaMalloc(&data_, bytes), "cudaMalloc of scratch memory");
}

Scratch::~Scratch() {
  cudaFree(data_);
}

}  // namespace ebm::cuda
