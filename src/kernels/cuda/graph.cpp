// SPDX-License-Identifier: MIT
#include "kernels/cuda/graph.h"

#include <cstring>
#include <vector>

#include "kernels/cuda/check.h"

namespace ebm::cuda {

namespace {

/// Whether a copy has both ends on the GPU. Of some copies the driver says cudaMemcpyDefault alone.
bool stays_on_device(const cudaMemcpy3DParms& copy) {
  if (copy.kind != cudaMemcpyDefault) return copy.kind == cudaMemcpyDeviceToDevice;
  for (const void* end : {copy.srcPtr.ptr, copy.dstPtr.ptr}) {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, end), "cudaPointerGetAttributes");
    if (attributes.type != cudaMemoryTypeDevice) return false;
  }
  return true;
}

GraphNodes count_nodes(cudaGraph_t graph) {
  size_t count = 0;
  check(cudaGraphGetNodes(graph, nullptr, &count), "cudaGraphGetNodes");
  std::vector<cudaGraphNode_t> nodes(count);
  check(cudaGraphGetNodes(graph, nodes.data(), &count), "cudaGraphGetNodes");
  GraphNodes sum;
  for (const cudaGraphNode_t node : nodes) {
    cudaGraphNodeType type{};
    check(cudaGraphNodeGetType(node, &type), "cudaGraphNodeGetType");
    cudaMemcpy3DParms copy{};
    if (type == cudaGraphNodeTypeMemcpy)
      check(cudaGraphMemcpyNodeGetParams(node, &copy), "cudaGraphMemcpyNodeGetParams");
    if (type == cudaGraphNodeTypeKernel) {
      ++sum.kernels;
    } else if (type == cudaGraphNodeTypeMemset ||
               (type == cudaGraphNodeTypeMemcpy && stays_on_device(copy))) {
      ++sum.copies;
    } else if (type != cudaGraphNodeTypeEmpty) {
      ++sum.others;
    }
  }
  return sum;
}

class CudaGraph final : public Graph {
 public:
  CudaGraph(const Context& context, cudaGraph_t graph) : context_(context), nodes_(count_nodes(graph)) {
    check(cudaGraphInstantiate(&executable_, graph, 0), "cudaGraphInstantiate");
  }
  ~CudaGraph() override { cudaGraphExecDestroy(executable_); }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void launch() override { check(cudaGraphLaunch(executable_, context_.stream()), "cudaGraphLaunch"); }
  GraphNodes nodes() const override { return nodes_; }

 private:
  const Context& context_;
  GraphNodes nodes_;
  cudaGraphExec_t executable_ = nullptr;
};

/// Page-locked host memory, and an event for the last copy into or out of it.
class PinnedBlock {
 public:
  PinnedBlock(const Context& context, int64_t bytes, const char* purpose)
      : context_(context), bytes_(static_cast<size_t>(bytes)) {
    context_.stream();  // makes the GPU current
    check(cudaEventCreateWithFlags(&copied_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    const cudaError_t status = cudaMallocHost(&host_, bytes_);
    if (status != cudaSuccess) cudaEventDestroy(copied_);
    check(status, purpose);
    std::memset(host_, 0, bytes_);
  }
  ~PinnedBlock() {
    context_.settle();
    cudaEventSynchronize(copied_);  // no copy may touch freed memory
    cudaEventDestroy(copied_);
    cudaFreeHost(host_);
  }
  PinnedBlock(const PinnedBlock&) = delete;
  PinnedBlock& operator=(const PinnedBlock&) = delete;

  void read(const void* device) { copy(host_, device, cudaMemcpyDeviceToHost); }
  void write(void* device) { copy(device, host_, cudaMemcpyHostToDevice); }
  void* wait() {
    context_.synchronize(copied_);
    return host_;
  }

 private:
  void copy(void* to, const void* from, cudaMemcpyKind kind) {
    const cudaStream_t stream = context_.stream();
    check(cudaMemcpyAsync(to, from, bytes_, kind, stream), "cudaMemcpyAsync of a page-locked block");
    check(cudaEventRecord(copied_, stream), "cudaEventRecord");
  }

  const Context& context_;
  size_t bytes_;
  cudaEvent_t copied_ = nullptr;
  void* host_ = nullptr;
};

class PinnedReadback final : public Readback {
 public:
  PinnedReadback(const Context& context, int64_t bytes)
      : block_(context, bytes, "cudaMallocHost of a readback buffer") {}
  void start(const void* device) override { block_.read(device); }
  const void* wait() override { return block_.wait(); }

 private:
  PinnedBlock block_;
};

class PinnedStaging final : public Staging {
 public:
  PinnedStaging(const Context& context, int64_t bytes)
      : block_(context, bytes, "cudaMallocHost of a staging buffer") {}
  void* host() override { return block_.wait(); }
  void start(void* device) override { block_.write(device); }

 private:
  PinnedBlock block_;
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

std::unique_ptr<Staging> make_staging(const Context& context, int64_t bytes) {
  return std::make_unique<PinnedStaging>(context, bytes);
}

}  // namespace ebm::cuda
