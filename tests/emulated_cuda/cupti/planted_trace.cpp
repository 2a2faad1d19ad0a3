// SPDX-License-Identifier: MIT
// scripts/gpu_trace.cpp with a stand-in for CUPTI: a program that names phases, records a graph and launches
// it twice, as far as the tracer can see. Only CUPTI's declarations are real. What is written to $EBM_TRACE
// is compared by tests/support/gpu_trace_test.cpp. `planted_trace refuse`: CUPTI refuses to tell of copies.
#include <cupti.h>
#include <nvtx3/nvToolsExt.h>

#include <cstring>
#include <string>
#include <vector>

extern "C" int InitializeInjection();
extern "C" int InitializeInjectionNvtx2(NvtxGetExportTableFunc_t tables);

namespace {

#if CUPTI_API_VERSION >= 130000
using KernelRecord = CUpti_ActivityKernel10;
#else
using KernelRecord = CUpti_ActivityKernel9;
#endif

/// What a program and the driver would tell CUPTI.
struct Planted {
  CUpti_BuffersCallbackRequestFunc give = nullptr;
  CUpti_BuffersCallbackCompleteFunc take = nullptr;
  CUpti_CallbackFunc callback = nullptr;
  std::vector<uint64_t> external;
  std::vector<std::vector<char>> records;
  bool refuses_copies = false;
};

Planted& planted() {
  static Planted only;
  return only;
}

/// Graph nodes are known by their ids here.
CUgraphNode node_of(uint64_t id) {
  return reinterpret_cast<CUgraphNode>(id);
}

void tell_node(CUpti_CallbackId what, uint64_t node, uint64_t original = 0) {
  if (planted().callback == nullptr) return;  // nobody asked
  CUpti_GraphData graph{};
  graph.node = node_of(node);
  graph.originalNode = node_of(original);
  CUpti_ResourceData resource{};
  resource.resourceDescriptor = &graph;
  planted().callback(nullptr, CUPTI_CB_DOMAIN_RESOURCE, what,
                     reinterpret_cast<CUpti_CallbackData*>(&resource));
}

template <class Record>
void add(const Record& record) {
  const char* bytes = reinterpret_cast<const char*>(&record);
  planted().records.emplace_back(bytes, bytes + sizeof record);
}

struct Ran {
  uint64_t start, end;
  uint32_t stream, graph;
  uint64_t node;
  uint32_t correlation;
};

void add_kernel(const char* symbol, const Ran& ran) {
  KernelRecord kernel{};
  kernel.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  kernel.name = symbol;
  kernel.start = ran.start;
  kernel.end = ran.end;
  kernel.streamId = ran.stream;
  kernel.graphId = ran.graph;
  kernel.graphNodeId = ran.node;
  kernel.correlationId = ran.correlation;
  add(kernel);
}

/// A launch outside of graphs: CUPTI puts the external correlation before it.
void launch(const char* symbol, const Ran& ran) {
  if (!planted().external.empty()) {
    CUpti_ActivityExternalCorrelation external{};
    external.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
    external.externalId = planted().external.back();
    external.correlationId = ran.correlation;
    add(external);
  }
  add_kernel(symbol, ran);
}

constexpr const char* add_bias = "_ZN3ebm4cuda15elements_kernelINS_10NeighboursIfEENS_7AddBiasEEEvT0_";

void run() {
  InitializeInjectionNvtx2_fnptr = InitializeInjectionNvtx2;  // NVTX then looks for no library
  nvtxRangePushA("before CUDA starts");
  InitializeInjection();
  nvtxRangePop();
  nvtxRangePushA("energy step");
  nvtxRangePushA("lower bound");
  tell_node(CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, 1);
  nvtxRangePop();
  nvtxRangePushA("upper\tbound");
  launch(add_bias, {.start = 100, .end = 200, .stream = 7, .graph = 0, .node = 0, .correlation = 5});
  tell_node(CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, 2);
  nvtxRangePop();
  nvtxRangePop();
  tell_node(CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, 3);  // in no phase
  nvtxRangePushA("instantiate");
  tell_node(CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, 11);  // of a copy: the phase is its original's
  for (const uint64_t node : {1, 2, 3}) tell_node(CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED, node + 10, node);
  nvtxRangePop();
  launch("plain_c_name", {.start = 210, .end = 220, .stream = 7, .graph = 0, .node = 0, .correlation = 6});
  for (const uint32_t correlation : {8U, 9U}) {
    const uint64_t at = 1000 * correlation;
    add_kernel(add_bias, {at, at + 300, 7, 4, 11, correlation});
    CUpti_ActivityMemset4 fill{};
    fill.kind = CUPTI_ACTIVITY_KIND_MEMSET;
    fill.start = at + 200;
    fill.end = at + 400;
    fill.streamId = 8;
    fill.graphId = 4;
    fill.graphNodeId = 12;
    fill.correlationId = correlation;
    add(fill);
    CUpti_ActivityMemcpy6 copy{};
    copy.kind = CUPTI_ACTIVITY_KIND_MEMCPY;
    copy.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_DTOD;
    copy.start = at + 500;
    copy.end = at + 600;
    copy.streamId = 7;
    copy.graphId = 4;
    copy.graphNodeId = 13;
    copy.correlationId = correlation;
    add(copy);
  }
  CUpti_ActivityAPI call{};
  call.kind = CUPTI_ACTIVITY_KIND_RUNTIME;
  add(call);
}

size_t size_of(const CUpti_Activity& record) {
  switch (record.kind) {
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL:
      return sizeof(KernelRecord);
    case CUPTI_ACTIVITY_KIND_MEMSET:
      return sizeof(CUpti_ActivityMemset4);
    case CUPTI_ACTIVITY_KIND_MEMCPY:
      return sizeof(CUpti_ActivityMemcpy6);
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION:
      return sizeof(CUpti_ActivityExternalCorrelation);
    default:
      return sizeof(CUpti_ActivityAPI);
  }
}

}  // namespace

CUptiResult cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc give,
                                           CUpti_BuffersCallbackCompleteFunc take) {
  planted().give = give;
  planted().take = take;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityEnable(CUpti_ActivityKind kind) {
  return planted().refuses_copies && kind == CUPTI_ACTIVITY_KIND_MEMCPY ? CUPTI_ERROR_NOT_COMPATIBLE
                                                                        : CUPTI_SUCCESS;
}
CUptiResult cuptiSubscribe(CUpti_SubscriberHandle*, CUpti_CallbackFunc callback, void*) {
  planted().callback = callback;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiEnableCallback(uint32_t, CUpti_SubscriberHandle, CUpti_CallbackDomain, CUpti_CallbackId) {
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetGraphNodeId(CUgraphNode node, uint64_t* id) {
  *id = reinterpret_cast<uint64_t>(node);
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityPushExternalCorrelationId(CUpti_ExternalCorrelationKind, uint64_t id) {
  planted().external.push_back(id);
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityPopExternalCorrelationId(CUpti_ExternalCorrelationKind, uint64_t*) {
  if (planted().external.empty()) return CUPTI_ERROR_QUEUE_EMPTY;
  planted().external.pop_back();
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityFlushAll(uint32_t) {
  uint8_t* buffer = nullptr;
  size_t bytes = 0, most = 0, filled = 0;
  planted().give(&buffer, &bytes, &most);
  for (const std::vector<char>& record : planted().records) {
    std::memcpy(buffer + filled, record.data(), record.size());
    filled += record.size();
  }
  planted().take(nullptr, 0, buffer, bytes, filled);
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityGetNextRecord(uint8_t* buffer, size_t filled, CUpti_Activity** record) {
  auto* next = reinterpret_cast<uint8_t*>(*record);
  next = next == nullptr ? buffer : next + size_of(**record);
  if (next >= buffer + filled) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = reinterpret_cast<CUpti_Activity*>(next);
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityGetNumDroppedRecords(CUcontext, uint32_t, size_t* dropped) {
  *dropped = 7;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetResultString(CUptiResult result, const char** text) {
  *text = result == CUPTI_ERROR_NOT_COMPATIBLE ? "CUPTI_ERROR_NOT_COMPATIBLE" : "another one";
  return CUPTI_SUCCESS;
}

int main(int argc, char** argv) {
  planted().refuses_copies = argc == 2 && std::string(argv[1]) == "refuse";
  run();
  return 0;
}
