// SPDX-License-Identifier: MIT
#include "kernels/cuda/graph.h"

#include <cstring>

#include "kernels/cuda/check.h"

namespace ebm::cuda {

namespace {

class CudaGraph final : public Graph {
 public:
  CudaGraph(const Context& context, cudaGraph_t graph) : context_(context) {
    check(cudaGraphInstantiate(&executable_, graph, 0), "cudaGraphInstantiate");
  }
  ~CudaGraph() override { cudaGraphExecDestroy(executable_); }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void launch() override { check(cudaGraphLaunch(executable_, context_.stream()), "cudaGraphLaunch"); }

 private:
  const Context& context_;
  cudaGraphExec_t executable_ = nullptr;
};

class PinnedReadback final : public Readback {
 public:
  PinnedReadback(const Context& context, int64_t bytes)
      : context_(context), bytes_(static_cast<size_t>(bytes)) {
    context_.stream();  // makes the GPU current
    check(cudaEventCreateWithFlags(&copied_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    const cudaError_t status = cudaMallocHost(&host_, bytes_);
    if (status != cudaSuccess) cudaEventDestroy(copied_);
    check(status, "cudaMallocHost of a readback buffer");
    std::memset(host_, 0, bytes_);
  }
  ~PinnedReadback() override {
    cudaEventSynchronize(copied_);  // the copy must not land in freed memory
    cudaEventDestroy(copied_);
    cudaFreeHost(host_);
  }
  PinnedReadback(const PinnedReadback&) = delete;
  PinnedReadback& operator=(const PinnedReadback&) = delete;

  void start(const void* device) override {
    const cudaStream_t stream = context_.stream();
    check(cudaMemcpyAsync(host_, device, bytes_, cudaMemcpyDeviceToHost, stream),
          "cudaMemcpyAsync of a readback");
    check(cudaEventRecord(copied_, stream), "cudaEventRecord");
  }
  const void* wait() override {
    check(cudaEventSynchronize(copied_), "cudaEventSynchronize");
    return host_;
  }

 private:
  const Context& context_;
  size_t bytes_;
  cudaEvent_t copied_ = nullptr;
  void* host_ = nullptr;
};

}  // namespace

std::unique_ptr<Graph> capture(const Context& context, const std::function<void()>& work) {
  const cudaStream_t stream = context.stream();
  // Thread-local: another thread (a data reader, say) may allocate meanwhile.
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    work();
  } catch (...) {
    cudaStreamEndCapture(stream, &graph);  // whatever it says: the stream leaves capture mode
    cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
  const std::unique_ptr<CUgraph_st, cudaError_t (*)(cudaGraph_t)> recorded(graph, cudaGraphDestroy);
  return std::make_unique<CudaGraph>(context, graph);
}

std::unique_ptr<Readback> make_readback(const Context& context, int64_t bytes) {
  return std::make_unique<PinnedReadback>(context, bytes);
}

}  // namespace ebm::cuda
