// SPDX-License-Identifier: MIT
// Every call into CUDA goes through check(): a failure becomes an Error that names the call, CUDA's reason
// and a remedy.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <string>

namespace ebm::cuda {

/// Throws Error unless `status` is success. `call` is the function called, with what it was called for.
void check(cudaError_t status, const std::string& call);
void check(cublasStatus_t status, const std::string& call);

inline void check(cudaError_t status, const char* call) {
  if (status != cudaSuccess) check(status, std::string(call));
}
inline void check(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) check(status, std::string(call));
}

}  // namespace ebm::cuda
