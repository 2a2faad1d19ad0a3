// SPDX-License-Identifier: MIT
// Theoretical occupancy without a GPU, for scripts/kernel_report: reads lines of
//   compute capability (90), registers of a thread, bytes of static shared memory, threads of a block
// and prints for each the share of a multiprocessor's threads that can live at once, by cuda_occupancy.h, or
// "-" for a GPU that is not described here.
#include <cuda_occupancy.h>
#include <climits>
#include <cstddef>
#include <cstdio>

#include <iostream>

namespace {

struct Gpu {
  int capability;
  const char* name;
  int threads, shared, shared_of_block, multiprocessors;  // a multiprocessor's, a block's (opted in)
};

// The CUDA programming guide's table of compute capabilities.
constexpr int kib = 1024;
constexpr Gpu described[] = {
    {75, "T4", 1024, 64 * kib, 64 * kib, 40},      {80, "A100", 2048, 164 * kib, 163 * kib, 108},
    {86, "A10", 1536, 100 * kib, 99 * kib, 72},    {89, "L40", 1536, 100 * kib, 99 * kib, 142},
    {90, "H100", 2048, 228 * kib, 227 * kib, 132}, {100, "B200", 2048, 228 * kib, 227 * kib, 148}};

cudaOccDeviceProp properties_of(const Gpu& gpu) {
  cudaOccDeviceProp p{};
  p.computeMajor = gpu.capability / 10;
  p.computeMinor = gpu.capability % 10;
  p.maxThreadsPerBlock = 1024;
  p.maxThreadsPerMultiprocessor = gpu.threads;
  p.regsPerBlock = p.regsPerMultiprocessor = 64 * kib;
  p.warpSize = 32;
  p.sharedMemPerBlock = 48 * kib;
  p.sharedMemPerMultiprocessor = static_cast<size_t>(gpu.shared);
  p.numSms = gpu.multiprocessors;
  p.sharedMemPerBlockOptin = static_cast<size_t>(gpu.shared_of_block);
  p.reservedSharedMemPerBlock = gpu.capability >= 80 ? kib : 0;
  return p;
}

/// In per cent; negative where cuda_occupancy.h refuses.
double occupancy(const Gpu& gpu, int registers, size_t shared, int threads) {
  const cudaOccDeviceProp properties = properties_of(gpu);
  cudaOccFuncAttributes kernel{};
  kernel.maxThreadsPerBlock = threads;
  kernel.numRegs = registers;
  kernel.sharedSizeBytes = shared;
  kernel.partitionedGCConfig = PARTITIONED_GC_OFF;
  kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
  kernel.maxDynamicSharedSizeBytes = properties.sharedMemPerBlockOptin - shared;
  kernel.numBlockBarriers = 1;
  const cudaOccDeviceState state{};
  cudaOccResult result{};
  if (cudaOccMaxActiveBlocksPerMultiprocessor(&result, &properties, &kernel, &state, threads, 0) !=
      CUDA_OCC_SUCCESS) {
    return -1;
  }
  return 100.0 * result.activeBlocksPerMultiprocessor * threads / gpu.threads;
}

}  // namespace

int main() {
  int capability = 0, registers = 0, threads = 0;
  size_t shared = 0;
  while (std::cin >> capability >> registers >> shared >> threads) {
    double percent = -1;
    for (const Gpu& gpu : described) {
      if (gpu.capability == capability) percent = occupancy(gpu, registers, shared, threads);
    }
    if (percent >= 0) {
      std::printf("%.1f%%\n", percent);
    } else {
      std::puts("-");
    }
  }
  return 0;
}
