// SPDX-License-Identifier: MIT
#include "dnn_timing.h"

#include <cmath>
#include <limits>
#include <map>

#include "emulated.h"

using namespace ebm::emulated;

namespace {

struct Clock {
  double now = 0;
  int64_t timings = 0;
  std::map<Engine, double> milliseconds;
  std::map<Engine, int64_t> runs;
  std::map<Engine, EngineFault> faults;
  std::map<cudaEvent_t, double> reached;  // events that have a time; NaN before the stream gets there
};
Clock& the_clock() {
  static Clock clock;
  return clock;
}

}  // namespace

namespace ebm::emulated {

void plant_milliseconds(Engine engine, double milliseconds) {
  const Lock lock(device_mutex());
  the_clock().milliseconds[engine] = milliseconds;
}

void plant_fault(Engine engine, EngineFault fault) {
  const Lock lock(device_mutex());
  the_clock().faults[engine] = fault;
}

EngineFault fault_of(Engine engine) {
  return the_clock().faults[engine];
}

void pass_time_of(Engine engine) {
  Clock& clock = the_clock();
  const auto planted = clock.milliseconds.find(engine);
  clock.now += planted != clock.milliseconds.end() ? planted->second : 1;
  ++clock.runs[engine];
}

int64_t runs_of(Engine engine) {
  const Lock lock(device_mutex());
  return the_clock().runs[engine];
}

int64_t timings() {
  const Lock lock(device_mutex());
  return the_clock().timings;
}

}  // namespace ebm::emulated

extern "C" {

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDisableTiming);  // the times are kept here
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaEventRecordWithFlags";
  if (flags != cudaEventRecordDefault)
    return refuse(cudaErrorInvalidValue, call, "only cudaEventRecordDefault is emulated");
  if (const cudaError_t status = refuse_in_capture(call); status != cudaSuccess) return status;
  the_clock().reached[event] = std::numeric_limits<double>::quiet_NaN();
  queue(stream, [event] { the_clock().reached[event] = the_clock().now; }, {});
  return cudaEventRecord(event, stream);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudaEventElapsedTime";
  Clock& clock = the_clock();
  if (!clock.reached.contains(start) || !clock.reached.contains(end))
    return refuse(cudaErrorInvalidResourceHandle, call, "an event was not recorded with a time");
  const double elapsed = clock.reached[end] - clock.reached[start];
  if (std::isnan(elapsed)) return refuse(cudaErrorNotReady, call, "nobody waited for the events");
  ++clock.timings;
  *milliseconds = static_cast<float>(elapsed);
  return cudaSuccess;
}

}  // extern "C"
