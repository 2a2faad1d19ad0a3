// SPDX-License-Identifier: MIT
// What the tests of planted faults share.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace ebm::emulated {

/// Whether EBM_EMULATED_SEED asks for no shuffling.
inline bool order_is_natural() {
  const char* seed = std::getenv("EBM_EMULATED_SEED");
  return seed != nullptr && std::string(seed) == "0";
}

/// A stream, and device memory that frees itself.
class PlantedTest : public testing::Test {
 protected:
  PlantedTest() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~PlantedTest() override {
    for (float* block : blocks_) cudaFree(block);
    cudaStreamDestroy(stream_);
  }

  float* device(size_t floats) {
    void* block = nullptr;
    EXPECT_EQ(cudaMalloc(&block, floats * sizeof(float)), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(block, 0, floats * sizeof(float), stream_), cudaSuccess);
    return blocks_.emplace_back(static_cast<float*>(block));
  }
  std::vector<float> host(const float* block, size_t floats) {
    std::vector<float> values(floats);
    EXPECT_EQ(cudaMemcpyAsync(values.data(), block, floats * sizeof(float), cudaMemcpyDeviceToHost, stream_),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    return values;
  }
  template <class... P, class... A>
  cudaError_t launch(dim3 grid, dim3 block, void (*kernel)(P...), A... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes_;
    config.stream = stream_;
    config.attrs = &attribute_;
    config.numAttrs = attribute_.id == cudaLaunchAttributeIgnore ? 0 : 1;
    return cudaLaunchKernelEx(&config, kernel, arguments...);
  }
  template <class... P, class... A>
  void run(dim3 grid, dim3 block, void (*kernel)(P...), A... arguments) {
    ASSERT_EQ(launch(grid, block, kernel, arguments...), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  }

  cudaStream_t stream_ = nullptr;
  size_t shared_bytes_ = 0;
  cudaLaunchAttribute attribute_{};

 private:
  std::vector<float*> blocks_;
};
using PlantedDeathTest = PlantedTest;

/// A kernel without a fault, where `count` is right.
inline __global__ void fill(float* out, int count) {
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < count;
       i += gridDim.x * blockDim.x) {
    out[i] = 1;
  }
}

}  // namespace ebm::emulated
