// SPDX-License-Identifier: MIT
// The one emulated device, and errors.
#include <cstdio>

#include "emulated.h"

using namespace ebm::emulated;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess
                     : refuse(cudaErrorInvalidDevice, "cudaSetDevice", "there is device 0 alone");
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0)
    return refuse(cudaErrorInvalidDevice, "cudaGetDeviceProperties", "there is device 0 alone");
  *properties = {};
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
