// SPDX-License-Identifier: MIT
// cuRAND's real device header, compiled for the host.
#pragma once
#pragma GCC system_header  // for #include_next

#include <library_types.h>

#include "cuda_runtime.h"

// The header declares indices of its own for the host, which only its generator MTGP32 reads.
#define blockDim curand_host_block_dim
#define threadIdx curand_host_thread_index
#define QUALIFIERS static inline
#include_next <curand_kernel.h>
#undef blockDim
#undef threadIdx
