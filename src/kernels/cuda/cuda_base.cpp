// SPDX-License-Identifier: MIT
#include "kernels/cuda/cuda_base.h"

#include <nvtx3/nvToolsExt.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/graph.h"
#include "kernels/cuda/nccl/ranks.h"
#include "kernels/cuda/noise.h"

namespace ebm {

using cuda::check;

namespace {

/// A recording that ends before a graph is made of it, which takes longer than the recording.
void record_in_vain(const cuda::Context& context, const std::function<void()>& work) {
  struct Over {};
  try {
    cuda::capture(context, [&] {
      work();
      throw Over{};
    });
  } catch (const Over&) {
    // As meant.
  }
}

}  // namespace

void* CudaBase::do_allocate(int64_t bytes) {
  const cudaStream_t stream = lane_->context.stream();
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, static_cast<size_t>(bytes));
  if (status != cudaSuccess) check(status, "cudaMalloc of " + std::to_string(bytes) + " bytes");
  check(cudaMemsetAsync(block, 0, static_cast<size_t>(bytes), stream), "cudaMemsetAsync of new memory");
  return block;
}

void CudaBase::deallocate(void* block) noexcept {
  settle();
  cudaFree(block);
}  // waits for the work that may still use it

void CudaBase::upload(void* device, const void* host, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  check(cudaMemcpyAsync(device, host, size, cudaMemcpyHostToDevice, lane_->context.stream()),
        "cudaMemcpyAsync to the GPU");
  lane_->context.synchronize();
}

void CudaBase::download(void* host, const void* device, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  check(cudaMemcpyAsync(host, device, size, cudaMemcpyDeviceToHost, lane_->context.stream()),
        "cudaMemcpyAsync from the GPU");
  lane_->context.synchronize();
}

void CudaBase::copy(void* to, const void* from, int64_t bytes) {
  const auto size = static_cast<size_t>(bytes);
  check(cudaMemcpyAsync(to, from, size, cudaMemcpyDeviceToDevice, lane_->context.stream()),
        "cudaMemcpyAsync on the GPU");
}

void CudaBase::zero(void* device, int64_t bytes) {
  check(cudaMemsetAsync(device, 0, static_cast<size_t>(bytes), lane_->context.stream()), "cudaMemsetAsync");
}

void CudaBase::convolve(const ConvolutionBackwardWeight& pass) {
  const ConstArray result = lane_->convolutions.run(pass);
  if (result.type == Type::float32) return;
  run(FromActivations{.columns = pass.shape.weights(), .x = result, .y = pass.weight_bar, .mode = pass.mode});
}

void CudaBase::noise(const Noise& noise, View out) {
  cuda::fill_noise(lane_->context, noise, out);
}

void CudaBase::concurrently(const Work& first, const Work& second) {
  if (forked_) throw Error("concurrent work was asked for inside of concurrent work; take it out");
  const struct Forked {
    explicit Forked(CudaBase& base) : base(base) { base.forked_ = true; }
    ~Forked() {
      base.lane_ = &base.main_;
      base.forked_ = base.noted_ = false;
    }
    CudaBase& base;
  } forked(*this);
  side_.context.wait_for(main_.context);
  first();
  lane_ = &side_;
  second();
  main_.context.wait_for(side_.context);
}

std::unique_ptr<Communicator> CudaBase::meet(HostRanks& hosts) {
  return std::make_unique<cuda::NcclRanks>(*this, hosts, main_.context.device());
}

void CudaBase::join(cuda::NcclRanks* ranks) {
  ranks_ = ranks;
  for (Lane* lane : {&main_, &side_}) lane->context.watch(ranks);
}

cudaStream_t CudaBase::begin_collective() {
  if (noted_ && lane_ == &side_) {
    side_.context.wait_for_noted(main_.context);
    noted_ = false;
  }
  return lane_->context.stream();
}

void CudaBase::end_collective() {
  if (!forked_ || lane_ == &side_) return;  // side_'s are behind each other, and main_ waits for side_
  main_.context.note();
  noted_ = true;
}

std::unique_ptr<Graph> CudaBase::capture(std::function<void()> work) {
  for (Lane* lane : {&main_, &side_}) lane->convolutions.forget_missing();  // of a recording that failed
  if (ranks_ != nullptr) ranks_->rehearse([&] { record_in_vain(main_.context, work); });
  std::unique_ptr<Graph> graph = ranks_ == nullptr ? cuda::capture(main_.context, work) : nullptr;
  bool missing = ranks_ != nullptr;  // one recording for every rank, whatever it misses
  for (Lane* lane : {&main_, &side_}) missing |= lane->convolutions.plan_missing();
  if (missing) graph = cuda::capture(main_.context, work);
  return graph;
}

std::unique_ptr<Readback> CudaBase::readback(int64_t bytes) {
  return cuda::make_readback(main_.context, bytes);
}

std::unique_ptr<Staging> CudaBase::staging(int64_t bytes) {
  return cuda::make_staging(main_.context, bytes);
}

void CudaBase::push_range(const char* name) {
  nvtxRangePushA(name);
}

void CudaBase::pop_range() noexcept {
  nvtxRangePop();
}

}  // namespace ebm
