// SPDX-License-Identifier: MIT
// Capture and graphs. A graph keeps which of its nodes wait for which; at each launch they run in another
// order that respects this, so that work which should have waited for another branch is seen.
#include "graph.h"

#include <algorithm>
#include <utility>

using namespace ebm::emulated;

namespace {
bool default_copies = false;  // planted
}

namespace ebm::emulated {

cudaError_t wait_in_capture(CUstream_st& stream, const std::shared_ptr<Capture>& capture,
                            const Nodes& nodes) {
  constexpr const char* call = "cudaStreamWaitEvent";
  if (capture->origin->capture != capture)
    return refuse(cudaErrorCapturedEvent, call, "the event's capture has ended");
  if (stream.capture != nullptr && stream.capture != capture)
    return refuse(cudaErrorStreamCaptureMerge, call, "the event is of another capture");
  if (stream.capture == nullptr) {
    stream.capture = capture;
    stream.last.clear();
  }
  stream.last.insert(stream.last.end(), nodes.begin(), nodes.end());
  return cudaSuccess;
}

void plant_default_copies(bool planted) {
  default_copies = planted;
}

}  // namespace ebm::emulated

namespace {

/// What whoever waits for `last` waits for.
std::vector<bool> all_before(const CUgraph_st& graph, const Nodes& last) {
  std::vector<bool> seen(graph.nodes.size());
  for (const size_t node : last) seen[node] = true;
  for (size_t node = graph.nodes.size(); node-- > 0;) {  // those that a node waits for come before it
    if (!seen[node]) continue;
    for (const size_t before : graph.nodes[node].after) seen[before] = true;
  }
  return seen;
}

bool joins_all(const CUgraph_st& graph, const Nodes& last) {
  const std::vector<bool> seen = all_before(graph, last);
  return std::find(seen.begin(), seen.end(), false) == seen.end();
}

/// The nodes in an order in which each comes after what it waits for.
Nodes some_order(const CUgraph_st& graph) {
  std::vector<Nodes> followers(graph.nodes.size());
  Nodes missing(graph.nodes.size()), ready, order;
  for (size_t node = 0; node < graph.nodes.size(); ++node) {
    missing[node] = graph.nodes[node].after.size();
    for (const size_t before : graph.nodes[node].after) followers[before].push_back(node);
    if (missing[node] == 0) ready.push_back(node);
  }
  while (!ready.empty()) {
    std::swap(ready[random_below(ready.size())], ready.back());
    const size_t node = ready.back();
    ready.pop_back();
    order.push_back(node);
    for (const size_t follower : followers[node]) {
      if (--missing[follower] == 0) ready.push_back(follower);
    }
  }
  return order;
}

}  // namespace

bool ebm::emulated::is_before(const CUgraph_st& graph, size_t node, const Nodes& last) {
  return all_before(graph, last)[node];
}

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaStreamBeginCapture";
  if (const cudaError_t status = require_stream(stream, call); status != cudaSuccess) return status;
  if (mode != cudaStreamCaptureModeThreadLocal)
    return refuse(cudaErrorInvalidValue, call, "only thread-local capture is emulated");
  if (is_capturing(stream))
    return refuse(cudaErrorIllegalState, call, "the stream is being captured already");
  stream->capture = std::make_shared<Capture>(
      Capture{.graph = {}, .origin = stream, .recorder = std::this_thread::get_id()});
  stream->last.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const Lock lock(device_mutex());
  if (!is_stream(stream))
    return refuse(cudaErrorInvalidResourceHandle, "cudaStreamIsCapturing", "there is no such stream");
  *status = !is_capturing(stream)     ? cudaStreamCaptureStatusNone
            : stream->capture->spoilt ? cudaStreamCaptureStatusInvalidated
                                      : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaStreamEndCapture";
  *graph = nullptr;
  if (!is_stream(stream) || !is_capturing(stream))
    return refuse(cudaErrorIllegalState, call, "nothing is being captured");
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture->recorder != std::this_thread::get_id())
    return refuse(cudaErrorStreamCaptureWrongThread, call, "another thread began");
  if (capture->origin != stream)
    return refuse(cudaErrorStreamCaptureUnmatched, call, "another stream began this capture");
  leave_capture(capture);
  if (capture->spoilt)
    return refuse(cudaErrorStreamCaptureInvalidated, call, "a call in the capture was not allowed");
  if (!joins_all(capture->graph, stream->last))
    return refuse(cudaErrorStreamCaptureUnjoined, call, "it did not wait for all work of another stream");
  *graph = new CUgraph_st(capture->graph);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  const Lock lock(device_mutex());
  if (const cudaError_t status = refuse_in_capture("cudaGraphInstantiate"); status != cudaSuccess)
    return status;
  if (graph == nullptr) return refuse(cudaErrorInvalidValue, "cudaGraphInstantiate", "there is no graph");
  *executable = new CUgraphExec_st{*graph};
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  if (graph == nullptr) return cudaErrorInvalidValue;
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  if (executable == nullptr) return cudaErrorInvalidValue;
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaGraphLaunch";
  if (const cudaError_t status = require_stream(stream, call); status != cudaSuccess) return status;
  if (executable == nullptr) return refuse(cudaErrorInvalidValue, call, "there is no graph");
  if (is_capturing(stream)) {
    stream->capture->spoilt = true;
    return refuse(cudaErrorStreamCaptureUnsupported, call, "a graph inside a graph is not emulated");
  }
  for (const size_t node : some_order(executable->graph))
    queue(stream, executable->graph.nodes[node].work, {}, executable->graph.nodes[node].ready);
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (graph == nullptr || count == nullptr)
    return refuse(cudaErrorInvalidValue, "cudaGraphGetNodes", "no graph, or no place for the count");
  if (nodes != nullptr) {
    *count = std::min(*count, graph->nodes.size());
    for (size_t i = 0; i < *count; ++i) nodes[i] = &graph->nodes[i];
  } else {
    *count = graph->nodes.size();
  }
  return cudaSuccess;
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  *type = node->kind.type;
  return cudaSuccess;
}

cudaError_t cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* parameters) {
  if (node->kind.type != cudaGraphNodeTypeMemcpy)
    return refuse(cudaErrorInvalidValue, "cudaGraphMemcpyNodeGetParams", "the node is no copy");
  *parameters = {};
  parameters->kind = default_copies ? cudaMemcpyDefault : node->kind.copy;
  parameters->srcPtr.ptr = node->kind.from;
  parameters->dstPtr.ptr = node->kind.to;
  return cudaSuccess;
}

}  // extern "C"
