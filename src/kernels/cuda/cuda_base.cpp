// SPDX-License-Identifier: MIT
#include "kernels/cuda/cuda_base.h"

#include <nvtx3/nvToolsExt.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/graph.h"
#include "kernels/cuda/noise.h"

namespace ebm {

using cuda::check;

void* CudaBase::do_allocate(int64_t bytes) {
  const cudaStream_t stream = context_.stream();
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, static_cast<size_t>(bytes));
  if (status != cudaSuccess) check(status, "cudaMalloc of " + std::to_string(bytes) + " bytes");
  check(cudaMemsetAsync(block, 0, static_cast<size_t>(bytes), stream), "cudaMemsetAsync of new memory");
  return block;
}

void CudaBase::deallocate(void* block) noexcept {
  cudaFree(block);
}  // waits for the work that may still use it

void CudaBase::upload(void* device, const void* host, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  check(cudaMemcpyAsync(device, host, size, cudaMemcpyHostToDevice, context_.stream()),
        "cudaMemcpyAsync to the GPU");
  context_.synchronize();
}

void CudaBase::download(void* host, const void* device, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  check(cudaMemcpyAsync(host, device, size, cudaMemcpyDeviceToHost, context_.stream()),
        "cudaMemcpyAsync from the GPU");
  context_.synchronize();
}

void CudaBase::copy(void* to, const void* from, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  check(cudaMemcpyAsync(to, from, size, cudaMemcpyDeviceToDevice, context_.stream()),
        "cudaMemcpyAsync on the GPU");
}

void CudaBase::zero(void* device, int64_t bytes) {
  check(cudaMemsetAsync(device, 0, static_cast<size_t>(bytes), context_.stream()), "cudaMemsetAsync");
}

void CudaBase::noise(const Noise& noise, View out) {
  cuda::fill_noise(context_.stream(), noise, out);
}

std::unique_ptr<Graph> CudaBase::capture(std::function<void()> work) {
  convolutions_.forget_missing();  // of a recording that failed
  std::unique_ptr<Graph> graph = cuda::capture(context_, work);
  if (convolutions_.plan_missing()) graph = cuda::capture(context_, work);
  return graph;
}

std::unique_ptr<Readback> CudaBase::readback(int64_t bytes) {
  return cuda::make_readback(context_, bytes);
}

std::unique_ptr<Staging> CudaBase::staging(int64_t bytes) {
  return cuda::make_staging(context_, bytes);
}

void CudaBase::push_range(const char* name) {
  nvtxRangePushA(name);
}

void CudaBase::pop_range() noexcept {
  nvtxRangePop();
}

}  // namespace ebm
