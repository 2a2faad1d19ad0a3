// SPDX-License-Identifier: MIT
// Stands in for CUDA's cuda_runtime.h when a .cu file is compiled by g++: what nvcc itself brings
// (qualifiers, thread indices, barriers, launches). All declarations of functions come from the toolkit's
// real cuda_runtime_api.h, so that a wrong signature does not compile.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>

#include <tuple>
#include <type_traits>

#include "emulated.h"

#undef __device__
#undef __global__
#undef __host__
#undef __shared__
#undef __constant__
#undef __forceinline__
#undef __launch_bounds__
#define __device__
#define __global__
#define __host__
#define __shared__ static  // the blocks of all grids run one after the other
#define __constant__
#define __forceinline__ inline
#define __launch_bounds__(...)

// One block at a time, one of its threads at a time: plain variables, set before a thread (or the rest of it)
// runs.
inline uint3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;

inline void __syncthreads() {
  ebm::emulated::block_barrier();
}

inline void cudaTriggerProgrammaticLaunchCompletion() {}
inline void cudaGridDependencySynchronize() {
  ebm::emulated::wait_for_grid();
}

/// What a thread wrote is seen by all at once: threads run one at a time.
inline void __threadfence() {}

inline unsigned atomicInc(unsigned* address, unsigned last) {
  const unsigned before = *address;
  *address = before >= last ? 0 : before + 1;
  return before;
}

/// As in the real header: a kernel of parameters P... is queued with copies of its arguments.
template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(P...), A&&... arguments) {
  static_assert((std::is_trivially_copyable_v<P> && ...), "kernel arguments are copied byte by byte");
  static_assert((sizeof(P) + ... + 0) <= 4096, "kernel arguments take at most 4 KiB");
  if (config == nullptr) return cudaErrorInvalidValue;
  return ebm::emulated::queue_kernel(
      *config, [kernel, copies = std::tuple<P...>(arguments...)] { std::apply(kernel, copies); });
}
