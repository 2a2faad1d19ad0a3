// SPDX-License-Identifier: MIT
// Compiles every formula of kernels/formulas.h for the GPU.
#include "kernels/cuda/cuda_base.h"
#include "kernels/cuda/launcher.cuh"

namespace ebm {

std::unique_ptr<Kernels> make_cuda_kernels(int device) {
  return std::make_unique<Runner<CudaBase>>(device);
}

}  // namespace ebm
