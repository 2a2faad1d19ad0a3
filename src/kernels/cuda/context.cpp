// SPDX-License-Identifier: MIT
#include "kernels/cuda/context.h"

#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "core/waiting.h"
#include "kernels/cuda/check.h"

namespace ebm::cuda {

namespace {

/// Throws Error where it is neither 0 nor 1.
bool wants_early_launches() {
  const char* const value = std::getenv("EBM_PROGRAMMATIC_LAUNCH");
  const std::string_view text = value != nullptr ? value : "0";
  if (text != "0" && text != "1")
    throw Error("EBM_PROGRAMMATIC_LAUNCH is '" + std::string(text) + "'; give 0 or 1");
  return text == "1";
}

int count_gpus() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  return count;
}

/// Waits until ready() is no longer cudaErrorNotReady.
template <class Ready>
cudaError_t wait_watched(Watch& watch, const Ready& ready) {
  Waiting waiting;
  while (true) {
    if (waiting.is_time_to_look()) watch.look(waiting.seconds());  // the first time too
    const cudaError_t status = ready();
    if (status != cudaErrorNotReady) return status;
    waiting.rest();
  }
}

}  // namespace

int number_of(const GpuChoice& choice) {
  if (choice.by == GpuChoice::By::number) return choice.number;
  const int count = count_gpus();
  if (count == 1) return 0;  // which the launcher or CUDA_VISIBLE_DEVICES gave this process
  if (choice.number < count) return choice.number;
  throw Error("process " + std::to_string(choice.number) + " of this node (they count from 0) finds " +
              std::to_string(count) +
              " GPUs; start no more processes on a node than it has GPUs, or use --device cpu");
}

Context::Context(int device) : device_(device) {
  const int devices = count_gpus();
  if (device < 0 || device >= devices) {
    throw Error("there is no GPU " + std::to_string(device) + ": CUDA counts " + std::to_string(devices) +
                ", from 0");
  }
  check(cudaSetDevice(device), "cudaSetDevice");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  description_ = "cuda:" + std::to_string(device) + " (" + properties.name + ", compute capability " +
                 std::to_string(properties.major) + "." + std::to_string(properties.minor) + ", " +
                 std::to_string(properties.totalGlobalMem >> 30) + " GiB)";
  name_ = properties.name;
  launches_early_ = wants_early_launches() && properties.major >= 9;
  compute_capability_ = 10 * properties.major + properties.minor;
  processors_ = properties.multiProcessorCount;
  // Non-blocking: no hidden order with the default stream, and no call of another library that uses it.
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  cudaError_t status = cudaEventCreateWithFlags(&reached_, cudaEventDisableTiming);
  if (status == cudaSuccess) {
    status = cudaEventCreateWithFlags(&noted_, cudaEventDisableTiming);
    if (status != cudaSuccess) cudaEventDestroy(reached_);
  }
  if (status != cudaSuccess) cudaStreamDestroy(stream_);
  check(status, "cudaEventCreateWithFlags");
}

Context::~Context() {
  cudaSetDevice(device_);
  cudaStreamSynchronize(stream_);
  cudaEventDestroy(noted_);
  cudaEventDestroy(reached_);
  cudaStreamDestroy(stream_);
}

cudaStream_t Context::stream() const {
  check(cudaSetDevice(device_), "cudaSetDevice");
  return stream_;
}

void Context::synchronize() const {
  const cudaStream_t stream = this->stream();
  if (watch_ == nullptr) return check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  check(wait_watched(*watch_, [stream] { return cudaStreamQuery(stream); }), "cudaStreamQuery");
}

void Context::synchronize(cudaEvent_t event) const {
  if (watch_ == nullptr) return check(cudaEventSynchronize(event), "cudaEventSynchronize");
  check(wait_watched(*watch_, [event] { return cudaEventQuery(event); }), "cudaEventQuery");
}

void Context::settle() const noexcept {
  if (watch_ == nullptr) return;
  try {
    synchronize();
  } catch (...) {
    // The rank has given up: nothing waits for others any more, and who waits next hears of it.
  }
}

void Context::wait_for(const Context& other) {
  check(cudaEventRecord(reached_, other.stream()), "cudaEventRecord");
  check(cudaStreamWaitEvent(stream(), reached_, 0), "cudaStreamWaitEvent");
}

void Context::note() {
  check(cudaEventRecord(noted_, stream()), "cudaEventRecord");
}

void Context::wait_for_noted(const Context& other) const {
  check(cudaStreamWaitEvent(stream(), other.noted_, 0), "cudaStreamWaitEvent");
}

DeviceBlock::DeviceBlock(size_t bytes) {
  check(cudaMalloc(&data_, bytes), "cudaMalloc of scratch memory");
}

DeviceBlock::~DeviceBlock() {
  cudaFree(data_);
}

}  // namespace ebm::cuda
