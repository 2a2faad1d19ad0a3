// SPDX-License-Identifier: MIT
// The emulated devices, and errors.
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "emulated.h"

using namespace ebm::emulated;

namespace {

thread_local int device_of_thread = 0;

/// The machine's devices that this process sees, in its order.
std::vector<int> visible_devices() {
  const char* const there = std::getenv("EBM_EMULATED_GPUS");
  const int count = there != nullptr && *there != '\0' ? std::atoi(there) : 1;
  const char* const chosen = std::getenv("CUDA_VISIBLE_DEVICES");
  std::vector<int> devices;
  if (chosen == nullptr) {
    for (int device = 0; device < count; ++device) devices.push_back(device);
  } else {
    std::istringstream list(chosen);
    for (std::string word; std::getline(list, word, ',');)
      if (std::atoi(word.c_str()) < count) devices.push_back(std::atoi(word.c_str()));
  }
  return devices;
}

bool is_device(int device) {
  return device >= 0 && device < static_cast<int>(visible_devices().size());
}

}  // namespace

int ebm::emulated::current_device() {
  return device_of_thread;
}

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = static_cast<int>(visible_devices().size());
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int device) {
  if (device == device_of_thread) return cudaSuccess;  // who works on it was let in
  if (!is_device(device)) return refuse(cudaErrorInvalidDevice, "cudaSetDevice", "there is no such device");
  device_of_thread = device;
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* kernel) {
  if (attributes == nullptr || kernel == nullptr)
    return refuse(cudaErrorInvalidValue, "cudaFuncGetAttributes", "no kernel");
  *attributes = {};
  attributes->ptxVersion = attributes->binaryVersion = 90;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (!is_device(device))
    return refuse(cudaErrorInvalidDevice, "cudaGetDeviceProperties", "there is no such device");
  *properties = {};
  properties->uuid.bytes[0] = static_cast<char>(1 + visible_devices()[static_cast<size_t>(device)]);
  std::snprintf(properties->name, sizeof properties->name, "emulated on the CPU");
  properties->major = 9;
  properties->totalGlobalMem = device_bytes;
  properties->multiProcessorCount = 1;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->sharedMemPerBlock = 48 * 1024;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return cudaSuccess;
}  // every error is returned by the call that makes it

#define EBM_NAME(name) \
  case name:           \
    return #name;
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    EBM_NAME(cudaSuccess)
    EBM_NAME(cudaErrorInvalidValue)
    EBM_NAME(cudaErrorMemoryAllocation)
    EBM_NAME(cudaErrorInvalidConfiguration)
    EBM_NAME(cudaErrorInvalidMemcpyDirection)
    EBM_NAME(cudaErrorInvalidDevice)
    EBM_NAME(cudaErrorNoDevice)
    EBM_NAME(cudaErrorNotReady)
    EBM_NAME(cudaErrorInvalidResourceHandle)
    EBM_NAME(cudaErrorIllegalState)
    EBM_NAME(cudaErrorCapturedEvent)
    EBM_NAME(cudaErrorStreamCaptureUnsupported)
    EBM_NAME(cudaErrorStreamCaptureInvalidated)
    EBM_NAME(cudaErrorStreamCaptureWrongThread)
    EBM_NAME(cudaErrorNoKernelImageForDevice)
    default:
      return "an error that is not emulated";
  }
}
#undef EBM_NAME

const char* cudaGetErrorString(cudaError_t error) {
  return cudaGetErrorName(error);
}

}  // extern "C"
