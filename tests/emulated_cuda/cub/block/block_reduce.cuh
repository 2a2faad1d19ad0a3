// SPDX-License-Identifier: MIT
// Stands in for CUB's block reduction. As with the real one, thread 0 alone gets the result, and the storage
// may be used again only behind a barrier.
#pragma once

#include <limits>

#include "cuda_runtime.h"

namespace cub {

template <class T, int threads>
class BlockReduce {
 public:
  struct TempStorage {
    T values[threads];
  };

  explicit BlockReduce(TempStorage& storage) : storage_(storage) {
    if (blockDim.x != threads || blockDim.y != 1 || blockDim.z != 1) {
      ebm::emulated::violation("cub::BlockReduce for %d threads in a block of %ux%ux%u", threads, blockDim.x,
                               blockDim.y, blockDim.z);
    }
  }

  T Sum(T input) {
    storage_.values[threadIdx.x] = input;
    __syncthreads();
    if (threadIdx.x != 0) return std::numeric_limits<T>::quiet_NaN();
    T sum = storage_.values[0];
    for (int i = 1; i < threads; ++i) sum += storage_.values[i];
    return sum;
  }

 private:
  TempStorage& storage_;
};

}  // namespace cub
