// SPDX-License-Identifier: MIT
// What scripts/gpu_trace puts into a program: it writes down each kernel, copy and fill that ran on a GPU,
// and the named phase (NVTX range) that queued it. The file, $EBM_TRACE, is in docs/formats.md, "Traces".
//
// CUDA_INJECTION64_PATH makes the driver load this library and call InitializeInjection;
// NVTX_INJECTION64_PATH makes the first NVTX call of each library do the same with InitializeInjectionNvtx2.
// Ranges come from NVTX itself, so their paths are kept and tested without a GPU. A kernel of a recorded
// graph runs long after its phase has ended: the phase is that of the thread when the graph's node was made,
// and goes over to the node's copy in the executable graph. Kernels outside graphs have theirs through
// external correlation ids.
//
// What no GPU has yet shown: all that CUPTI does. That is whether GRAPHNODE_CREATED comes in the thread that
// records, and GRAPHNODE_CLONED when the graph is made executable (as in NVIDIA's sample cuda_graphs_trace);
// whether one correlation id stands for one launch of a graph; how much the tracing of nodes slows a graph.
#include <cupti.h>
#include <cxxabi.h>
#include <nvtx3/nvToolsExt.h>

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace {

#if CUPTI_API_VERSION >= 130000
using KernelRecord = CUpti_ActivityKernel10;
#else
using KernelRecord = CUpti_ActivityKernel9;
#endif

constexpr size_t buffer_bytes = size_t{8} << 20;
constexpr uint64_t no_phase = 0;

/// Names are one field of a line.
std::string one_field(std::string text) {
  for (char& c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

std::string demangled(const char* symbol) {
  int status = -1;
  char* name = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  std::string text = status == 0 && name != nullptr ? name : symbol;
  std::free(name);
  return one_field(std::move(text));
}

/// The file, and what is known so far. It is never destroyed: CUPTI's thread may come late.
class Trace {
 public:
  /// Nothing is written where the file is there already: it belongs to the process that was first.
  Trace() {
    const char* path = std::getenv("EBM_TRACE");
    file_ = path != nullptr ? std::fopen(path, "wx") : nullptr;
    if (file_ != nullptr) std::fputs("ebm trace 1\n", file_);
  }
  bool writes() const { return file_ != nullptr; }

  /// The number of a phase, from 1 on.
  uint64_t phase(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = phases_.try_emplace(path, phases_.size() + 1);
    if (is_new && file_ != nullptr) std::fprintf(file_, "P\t%" PRIu64 "\t%s\n", at->second, path.c_str());
    return at->second;
  }

  void node_created(uint64_t node, uint64_t phase) {
    const std::lock_guard lock(mutex_);
    // Copies are told of in both ways; what is known of their originals says more.
    if (phase != no_phase && nodes_.try_emplace(node, phase).second) write_node(node, phase);
  }
  void node_cloned(uint64_t original, uint64_t node) {
    const std::lock_guard lock(mutex_);
    const auto known = nodes_.find(original);
    if (known == nodes_.end()) return;
    const uint64_t phase = known->second;
    nodes_[node] = phase;
    write_node(node, phase);
  }

  /// A kernel ('K') or a copy or fill ('C').
  template <class Record>
  void ran(char kind, const Record& r, const char* symbol) {
    const std::lock_guard lock(mutex_);
    if (file_ == nullptr) return;
    const auto [at, is_new] = names_.try_emplace(symbol, names_.size() + 1);
    if (is_new) std::fprintf(file_, "F\t%zu\t%s\n", at->second, demangled(symbol).c_str());
    std::fprintf(file_, "%c\t%" PRIu64 "\t%" PRIu64 "\t%u\t%u\t%u\t%" PRIu64 "\t%u\t%zu\n", kind, r.start,
                 r.end, r.deviceId, r.streamId, r.graphId, r.graphNodeId, r.correlationId, at->second);
  }
  void correlated(uint32_t correlation, uint64_t phase) {
    const std::lock_guard lock(mutex_);
    if (file_ != nullptr) std::fprintf(file_, "X\t%u\t%" PRIu64 "\n", correlation, phase);
  }
  void dropped(size_t records) {
    const std::lock_guard lock(mutex_);
    if (file_ != nullptr) std::fprintf(file_, "D\t%zu\n", records);
  }
  /// A call that failed: told once, on stderr and in the file. The program goes on.
  void failed(const std::string& call, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (!failures_.insert(call).second) return;
    std::fprintf(stderr, "gpu_trace: %s: %s\n", call.c_str(), reason.c_str());
    if (file_ != nullptr) std::fprintf(file_, "W\t%s: %s\n", call.c_str(), one_field(reason).c_str());
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (file_ == nullptr) return;
    std::fputs("E\n", file_);
    if (std::fclose(file_) != 0) std::fputs("gpu_trace: the trace could not be written whole\n", stderr);
    file_ = nullptr;
  }

 private:
  void write_node(uint64_t node, uint64_t phase) {
    if (file_ != nullptr) std::fprintf(file_, "N\t%" PRIu64 "\t%" PRIu64 "\n", node, phase);
  }

  std::mutex mutex_;
  std::FILE* file_;
  std::map<std::string, uint64_t> phases_;
  std::unordered_map<std::string, size_t> names_;
  std::unordered_map<uint64_t, uint64_t> nodes_;
  std::unordered_set<std::string> failures_;
};

Trace& trace() {
  static auto* const only = new Trace;
  return *only;
}

bool check(CUptiResult status, const char* call) {
  if (status == CUPTI_SUCCESS) return true;
  const char* reason = nullptr;
  if (cuptiGetResultString(status, &reason) != CUPTI_SUCCESS || reason == nullptr) reason = "unknown error";
  trace().failed(call, reason);
  return false;
}

std::atomic<bool>& cupti_works() {
  static std::atomic<bool> works = false;
  return works;
}

// --- the phases of a thread

struct OpenRange {
  uint64_t phase;
  size_t parent_length;  // of the path
  bool correlates;       // CUPTI knows it
};

struct OpenRanges {
  std::string path;
  std::vector<OpenRange> ranges;
};

OpenRanges& of_thread() {
  thread_local OpenRanges open;
  return open;
}

uint64_t current_phase() {
  const OpenRanges& open = of_thread();
  return open.ranges.empty() ? no_phase : open.ranges.back().phase;
}

int push(const std::string& name) {
  OpenRanges& open = of_thread();
  const size_t parent_length = open.path.size();
  if (!open.path.empty()) open.path += '/';
  open.path += one_field(name);
  const uint64_t phase = trace().phase(open.path);
  const bool correlates = cupti_works() && check(cuptiActivityPushExternalCorrelationId(
                                                     CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, phase),
                                                 "cuptiActivityPushExternalCorrelationId");
  open.ranges.push_back({.phase = phase, .parent_length = parent_length, .correlates = correlates});
  return static_cast<int>(open.ranges.size()) - 1;
}

int pop() {
  OpenRanges& open = of_thread();
  if (open.ranges.empty()) return -1;
  const OpenRange last = open.ranges.back();
  open.ranges.pop_back();
  open.path.resize(last.parent_length);
  if (last.correlates) {
    check(cuptiActivityPopExternalCorrelationId(CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0, nullptr),
          "cuptiActivityPopExternalCorrelationId");
  }
  return static_cast<int>(open.ranges.size());
}

int NVTX_API push_text(const char* name) {
  return push(name != nullptr ? name : "(no name)");
}
/// Nobody here names ranges so; they are kept so that the ends of ranges meet their beginnings.
int NVTX_API push_wide(const wchar_t*) {
  return push("(wide name)");
}
int NVTX_API push_event(const nvtxEventAttributes_t* event) {
  const bool has_text = event != nullptr && event->messageType == NVTX_MESSAGE_TYPE_ASCII;
  return push_text(has_text ? event->message.ascii : nullptr);
}
int NVTX_API pop_range() {
  return pop();
}

// --- what CUPTI tells

const char* name_of_copy(uint8_t kind) {
  switch (kind) {
    case CUPTI_ACTIVITY_MEMCPY_KIND_HTOD:
      return "copy to the GPU";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOH:
      return "copy from the GPU";
    case CUPTI_ACTIVITY_MEMCPY_KIND_DTOD:
      return "copy on the GPU";
    default:
      return "copy of another kind";
  }
}

void write(const CUpti_Activity* record) {
  switch (record->kind) {
    case CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL: {
      const auto& kernel = *reinterpret_cast<const KernelRecord*>(record);
      trace().ran('K', kernel, kernel.name != nullptr ? kernel.name : "(no name)");
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMCPY: {
      const auto& copy = *reinterpret_cast<const CUpti_ActivityMemcpy6*>(record);
      trace().ran('C', copy, name_of_copy(copy.copyKind));
      break;
    }
    case CUPTI_ACTIVITY_KIND_MEMSET:
      trace().ran('C', *reinterpret_cast<const CUpti_ActivityMemset4*>(record), "fill");
      break;
    case CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION: {
      const auto& external = *reinterpret_cast<const CUpti_ActivityExternalCorrelation*>(record);
      trace().correlated(external.correlationId, external.externalId);
      break;
    }
    default:
      break;  // runtime calls, which external correlation needs
  }
}

void CUPTIAPI give_buffer(uint8_t** buffer, size_t* bytes, size_t* most_records) {
  *buffer = static_cast<uint8_t*>(std::aligned_alloc(64, buffer_bytes));
  *bytes = *buffer != nullptr ? buffer_bytes : 0;
  *most_records = 0;  // as many as there is room for
}

void CUPTIAPI take_buffer(CUcontext context, uint32_t stream, uint8_t* buffer, size_t, size_t filled) {
  CUpti_Activity* record = nullptr;
  CUptiResult status = CUPTI_SUCCESS;
  while (filled > 0 && (status = cuptiActivityGetNextRecord(buffer, filled, &record)) == CUPTI_SUCCESS)
    write(record);
  if (status != CUPTI_ERROR_MAX_LIMIT_REACHED) check(status, "cuptiActivityGetNextRecord");
  size_t lost = 0;
  if (check(cuptiActivityGetNumDroppedRecords(context, stream, &lost), "cuptiActivityGetNumDroppedRecords") &&
      lost > 0)
    trace().dropped(lost);
  std::free(buffer);
}

void CUPTIAPI on_graph_node(void*, CUpti_CallbackDomain domain, CUpti_CallbackId id, const void* data) {
  if (domain != CUPTI_CB_DOMAIN_RESOURCE) return;
  const auto* resource = static_cast<const CUpti_ResourceData*>(data);
  const auto* graph = static_cast<const CUpti_GraphData*>(resource->resourceDescriptor);
  uint64_t node = 0, original = 0;
  if (!check(cuptiGetGraphNodeId(graph->node, &node), "cuptiGetGraphNodeId")) return;
  if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED) {
    trace().node_created(node, current_phase());
  } else if (id == CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED &&
             check(cuptiGetGraphNodeId(graph->originalNode, &original),
                   "cuptiGetGraphNodeId of an original")) {
    trace().node_cloned(original, node);
  }
}

void end() {
  if (cupti_works()) check(cuptiActivityFlushAll(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED), "cuptiActivityFlushAll");
  cupti_works() = false;
  trace().close();
}

bool start_cupti() {
  const bool works =
      check(cuptiActivityRegisterCallbacks(give_buffer, take_buffer), "cuptiActivityRegisterCallbacks");
  for (const auto& [kind, call] :
       {std::pair{CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, "cuptiActivityEnable of kernels"},
        {CUPTI_ACTIVITY_KIND_MEMCPY, "cuptiActivityEnable of copies"},
        {CUPTI_ACTIVITY_KIND_MEMSET, "cuptiActivityEnable of fills"},
        {CUPTI_ACTIVITY_KIND_RUNTIME, "cuptiActivityEnable of calls"},
        {CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION, "cuptiActivityEnable of phases"}}) {
    check(cuptiActivityEnable(kind), call);  // without one kind the others are worth having
  }
  CUpti_SubscriberHandle subscriber = nullptr;
  if (check(cuptiSubscribe(&subscriber, reinterpret_cast<CUpti_CallbackFunc>(on_graph_node), nullptr),
            "cuptiSubscribe")) {
    for (const CUpti_CallbackId id :
         {CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED, CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED})
      check(cuptiEnableCallback(1, subscriber, CUPTI_CB_DOMAIN_RESOURCE, id), "cuptiEnableCallback");
  }
  return works;
}

template <class Function>
void set(NvtxFunctionTable table, NvtxCallbackIdCore id, Function* function) {
  *table[id] = reinterpret_cast<NvtxFunctionPointer>(function);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int InitializeInjection() {
  if (!trace().writes()) return 1;
  cupti_works() = start_cupti();
  // Registered while the driver starts, so that it runs before the driver's own end.
  std::atexit(end);
  return 1;
}

extern "C" __attribute__((visibility("default"))) int InitializeInjectionNvtx2(
    NvtxGetExportTableFunc_t tables) {
  const auto* callbacks = static_cast<const NvtxExportTableCallbacks*>(tables(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (!trace().writes() || callbacks == nullptr ||
      callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &table, &size) == 0 ||
      size <= NVTX_CBID_CORE_RangePop)
    return 0;
  set(table, NVTX_CBID_CORE_RangePushA, push_text);
  set(table, NVTX_CBID_CORE_RangePushW, push_wide);
  set(table, NVTX_CBID_CORE_RangePushEx, push_event);
  set(table, NVTX_CBID_CORE_RangePop, pop_range);
  std::atexit(end);
  return 1;
}
