// SPDX-License-Identifier: MIT
// Streams and events. Queued work runs only when somebody waits for it.
#include <sched.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "graph.h"

using namespace ebm::emulated;

struct CUevent_st {
  cudaStream_t stream = nullptr;     // null: never recorded
  uint64_t after = 0;                // complete when the stream has run so much
  std::shared_ptr<Capture> capture;  // not null: recorded in it, after these nodes
  Nodes nodes;
};

namespace {

bool no_code = false;  // planted

std::set<cudaStream_t>& streams() {
  static std::set<cudaStream_t> all;
  return all;
}

std::set<cudaEvent_t>& events() {
  static std::set<cudaEvent_t> all;
  return all;
}

/// Runs the stream's work up to `target`; false where a piece of it is not ready.
bool advance(CUstream_st& stream, uint64_t target) {
  std::optional<DeviceAccess> access;
  while (stream.run_ever < target) {
    if (const Ready& ready = stream.queued.front().ready; ready && !ready()) break;
    if (!access) access.emplace();
    const Work work = std::move(stream.queued.front().work);
    stream.queued.pop_front();
    ++stream.run_ever;
    work();
  }
  if (access) check_red_zones();
  return stream.run_ever >= target;
}

bool overlap(const void* a, const void* b, size_t bytes) {
  const auto x = reinterpret_cast<uintptr_t>(a), y = reinterpret_cast<uintptr_t>(b);
  return x < y + bytes && y < x + bytes;
}

Tf32 environments_tf32() {
  const char* const text = std::getenv("NVIDIA_TF32_OVERRIDE");
  const std::string_view value = text != nullptr ? text : "";
  return value == "0" ? Tf32::never : value == "1" ? Tf32::unless_forbidden : Tf32::where_asked;
}

/// Runs the work that the event stands for as far as it is ready.
cudaError_t query(cudaEvent_t event, const char* call) {
  if (!events().contains(event))
    return refuse(cudaErrorInvalidResourceHandle, call, "there is no such event");
  if (event->capture != nullptr)
    return refuse(cudaErrorCapturedEvent, call, "the event was recorded in a capture");
  if (const cudaError_t status = refuse_in_capture(call); status != cudaSuccess) return status;
  return event->stream == nullptr || advance(*event->stream, event->after) ? cudaSuccess : cudaErrorNotReady;
}

/// A wrong end of a copy is undefined behaviour on a GPU (or a fault much later): it ends the program.
void require_end(const void* block, size_t bytes, bool device, const char* call) {
  if (device && !inside_allocation(block, bytes)) {
    violation("%s: %zu bytes at %p are not inside one allocation of device memory", call, bytes, block);
  }
  if (!device && touches_device(block, bytes))
    violation("%s: %p is device memory, not the host's", call, block);
}

}  // namespace

namespace ebm::emulated {

cudaError_t refuse(cudaError_t status, const char* call, const char* why) {
  std::fprintf(stderr, "emulated CUDA refuses %s: %s\n", call, why);
  return status;
}

cudaError_t require_stream(cudaStream_t stream, const char* call) {
  if (stream == nullptr)
    return refuse(cudaErrorInvalidResourceHandle, call, "the default stream is not for use here");
  if (!is_stream(stream)) return refuse(cudaErrorInvalidResourceHandle, call, "there is no such stream");
  if (stream->capture != nullptr && stream->capture->recorder != std::this_thread::get_id()) {
    return refuse(cudaErrorStreamCaptureWrongThread, call, "another thread captures the stream");
  }
  if (stream->capture != nullptr && stream->capture->spoilt)
    return refuse(cudaErrorStreamCaptureInvalidated, call, "the stream's capture is spoilt");
  return cudaSuccess;
}

bool is_stream(cudaStream_t stream) {
  return streams().contains(stream);
}

Tf32 tf32_of(cudaStream_t stream) {
  return stream->tf32;
}

bool is_capturing(cudaStream_t stream) {
  return stream->capture != nullptr;
}

void leave_capture(const std::shared_ptr<Capture>& capture) {
  for (const cudaStream_t stream : streams()) {
    if (stream->capture == capture) stream->capture = nullptr;
  }
}

void queue(cudaStream_t stream, Work work, NodeKind kind, Ready ready) {
  if (stream->capture != nullptr) {
    CUgraph_st& graph = stream->capture->graph;
    graph.nodes.push_back(
        {std::move(work), kind, std::exchange(stream->last, {graph.nodes.size()}), std::move(ready)});
  } else {
    stream->queued.push_back({std::move(work), std::move(ready)});
    ++stream->queued_ever;
  }
}

int device_of(cudaStream_t stream) {
  return stream->device;
}

bool advance_streams(int device) {
  bool done = true;
  for (const cudaStream_t stream : streams())
    if (stream->device == device) done &= advance(*stream, stream->queued_ever);
  return done;
}

void run_all_streams(const char* call) {
  await(call, [] { return advance_streams(current_device()); });
}

void await(const char* call, const std::function<bool()>& done) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds longest(60);
  for (const Clock::time_point start = Clock::now(); Clock::now() - start < longest; sched_yield()) {
    const Lock lock(device_mutex());
    if (done()) return;
  }
  violation("%s waits for an operation of several ranks to which not all come", call);
}

cudaError_t refuse_in_capture(const char* call) {
  const Lock lock(device_mutex());
  for (const cudaStream_t stream : streams()) {
    if (stream->capture == nullptr || stream->capture->recorder != std::this_thread::get_id()) continue;
    stream->capture->spoilt = true;
    return refuse(cudaErrorStreamCaptureUnsupported, call, "this thread captures a stream");
  }
  return cudaSuccess;
}

void plant_no_code(bool planted) {
  no_code = planted;
}

cudaError_t queue_kernel(const cudaLaunchConfig_t& config, Work thread) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaLaunchKernelEx";
  const dim3 grid = config.gridDim, block = config.blockDim;
  const auto wrong = [&](const char* why) { return refuse(cudaErrorInvalidConfiguration, call, why); };
  if (const cudaError_t status = require_stream(config.stream, call); status != cudaSuccess) return status;
  if (no_code) return refuse(cudaErrorNoKernelImageForDevice, call, "planted: no code for this device");
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return wrong("the grid is empty");
  if (block.x == 0 || block.y == 0 || block.z == 0) return wrong("the block is empty");
  if (grid.x > 0x7FFFFFFF || grid.y > 65535 || grid.z > 65535)
    return wrong("the grid is larger than 2^31 - 1, 65535, 65535");
  if (block.x > 1024 || block.y > 1024 || block.z > 64)
    return wrong("the block is larger than 1024, 1024, 64");
  if (uint64_t{block.x} * block.y * block.z > 1024) return wrong("the block has more than 1024 threads");
  if (config.dynamicSmemBytes > 48 * 1024) return wrong("more than 48 KiB of shared memory");
  if (config.dynamicSmemBytes > 0) return wrong("dynamic shared memory is not emulated");
  const bool early = config.numAttrs == 1 &&
                     config.attrs[0].id == cudaLaunchAttributeProgrammaticStreamSerialization &&
                     config.attrs[0].val.programmaticStreamSerializationAllowed == 1;
  if (config.numAttrs != 0 && !early) return wrong("of launch attributes only an early start is emulated");
  queue(config.stream,
        [grid, block, run = early ? run_early_grid : run_grid, thread = std::move(thread)] {
          run(grid, block, thread);
        },
        {.type = cudaGraphNodeTypeKernel});
  return cudaSuccess;
}

}  // namespace ebm::emulated

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const Lock lock(device_mutex());
  if (flags != cudaStreamNonBlocking)
    return refuse(cudaErrorInvalidValue, "cudaStreamCreateWithFlags",
                  "only cudaStreamNonBlocking is emulated");
  *stream = *streams().insert(new CUstream_st).first;
  (*stream)->tf32 = environments_tf32();
  (*stream)->device = current_device();
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  constexpr const char* call = "cudaStreamDestroy";
  const auto is_there = [=] {
    const Lock lock(device_mutex());
    return is_stream(stream);
  };
  if (!is_there()) return refuse(cudaErrorInvalidResourceHandle, call, "there is no such stream");
  await(call, [=] { return advance(*stream, stream->queued_ever); });
  const Lock lock(device_mutex());
  streams().erase(stream);
  for (const cudaEvent_t event : events()) {
    if (event->stream == stream) event->stream = nullptr;
  }
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaStreamQuery";
  if (const cudaError_t status = refuse_in_capture(call); status != cudaSuccess) return status;
  if (const cudaError_t status = require_stream(stream, call); status != cudaSuccess) return status;
  return advance(*stream, stream->queued_ever) ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  constexpr const char* call = "cudaStreamSynchronize";
  cudaError_t status = cudaErrorNotReady;
  await(call, [&] {
    status = refuse_in_capture(call);
    if (status == cudaSuccess) status = require_stream(stream, call);
    return status != cudaSuccess || advance(*stream, stream->queued_ever);
  });
  return status;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaMemcpyAsync";
  if (const cudaError_t status = require_stream(stream, call); status != cudaSuccess) return status;
  if (kind != cudaMemcpyHostToDevice && kind != cudaMemcpyDeviceToHost && kind != cudaMemcpyDeviceToDevice) {
    return refuse(cudaErrorInvalidMemcpyDirection, call,
                  "only host to device, back, and on the device are emulated");
  }
  if (bytes == 0) return cudaSuccess;
  const bool to_device = kind != cudaMemcpyDeviceToHost, from_device = kind != cudaMemcpyHostToDevice;
  require_end(to, bytes, to_device, call);
  require_end(from, bytes, from_device, call);
  if (to_device && from_device && overlap(to, from, bytes))
    violation("cudaMemcpyAsync between overlapping blocks");
  const bool pinned = to_device == from_device || inside_pinned(to_device ? from : to, bytes);
  if (is_capturing(stream) && !pinned) {
    stream->capture->spoilt = true;
    return refuse(cudaErrorStreamCaptureUnsupported, call, "a captured copy needs page-locked host memory");
  }
  queue(stream, [=] { std::memcpy(to, from, bytes); },
        {.type = cudaGraphNodeTypeMemcpy, .copy = kind, .to = to, .from = const_cast<void*>(from)});
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* block, int value, size_t bytes, cudaStream_t stream) {
  const Lock lock(device_mutex());
  if (const cudaError_t status = require_stream(stream, "cudaMemsetAsync"); status != cudaSuccess)
    return status;
  if (bytes == 0) return cudaSuccess;
  require_end(block, bytes, true, "cudaMemsetAsync");
  queue(stream, [=] { std::memset(block, value, bytes); }, {.type = cudaGraphNodeTypeMemset});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const Lock lock(device_mutex());
  if (flags != cudaEventDisableTiming)
    return refuse(cudaErrorInvalidValue, "cudaEventCreateWithFlags",
                  "only cudaEventDisableTiming is emulated");
  *event = *events().insert(new CUevent_st).first;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const Lock lock(device_mutex());
  if (events().erase(event) == 0)
    return refuse(cudaErrorInvalidResourceHandle, "cudaEventDestroy", "there is no such event");
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const Lock lock(device_mutex());
  if (!events().contains(event))
    return refuse(cudaErrorInvalidResourceHandle, "cudaEventRecord", "there is no such event");
  if (const cudaError_t status = require_stream(stream, "cudaEventRecord"); status != cudaSuccess)
    return status;
  *event = {
      .stream = stream, .after = stream->queued_ever, .capture = stream->capture, .nodes = stream->last};
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const Lock lock(device_mutex());
  return query(event, "cudaEventQuery");
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  cudaError_t status = cudaErrorNotReady;
  await("cudaEventSynchronize", [&] {
    status = query(event, "cudaEventSynchronize");
    return status != cudaErrorNotReady;
  });
  return status;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaStreamWaitEvent";
  if (const cudaError_t status = require_stream(stream, call); status != cudaSuccess) return status;
  if (!events().contains(event))
    return refuse(cudaErrorInvalidResourceHandle, call, "there is no such event");
  if (flags != 0) return refuse(cudaErrorInvalidValue, call, "flags are not emulated");
  if (event->capture != nullptr) return wait_in_capture(*stream, event->capture, event->nodes);
  if (is_capturing(stream)) {
    stream->capture->spoilt = true;
    return refuse(cudaErrorStreamCaptureIsolation, call, "the event is of work outside of the capture");
  }
  const cudaStream_t other = event->stream;
  if (other == nullptr || other == stream) return cudaSuccess;
  queue(
      stream, [] {}, {},
      [other, after = event->after] {
        return !is_stream(other) || advance(*other, after);  // a stream that is gone ran everything
      });
  return cudaSuccess;
}

}  // extern "C"
