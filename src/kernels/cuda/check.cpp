// SPDX-License-Identifier: MIT
#include "kernels/cuda/check.h"

#include "core/error.h"

namespace ebm::cuda {

namespace {

std::string advice(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return "the GPU's memory is full: use a smaller batch or network, or end other programs on this GPU";
    case cudaErrorInsufficientDriver:
      return "the NVIDIA driver is missing or older than this build's CUDA: update the driver, or use "
             "--device cpu";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidPtx:
    case cudaErrorUnsupportedPtxVersion:
      return "this build has no code for this GPU: build again with CUDA_ARCH set to its compute capability";
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorCapturedEvent:
      return "recorded work may not allocate, free or wait";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorMisalignedAddress:
      return "work queued earlier went wrong: run again with CUDA_LAUNCH_BLOCKING=1 or under "
             "compute-sanitizer";
    case cudaErrorDevicesUnavailable:
      return "another program holds this GPU: choose another with cuda:N";
    default:
      return "this is a fault of the program or of the driver; --device cpu avoids it";
  }
}

}  // namespace

void check(cudaError_t status, const std::string& call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // an error that is not sticky is ours now, and must not be found again by the next
                       // call
  throw Error(call + " failed: " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + "); " +
              advice(status));
}

void check(cublasStatus_t status, const std::string& call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw Error(
      call + " failed: " + cublasGetStatusString(status) + "; " +
      (status == CUBLAS_STATUS_ALLOC_FAILED ? advice(cudaErrorMemoryAllocation) : advice(cudaErrorUnknown)));
}

}  // namespace ebm::cuda
