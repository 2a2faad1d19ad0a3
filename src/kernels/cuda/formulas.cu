// SPDX-License-Identifier: MIT
// Compiles every formula of kernels/formulas.h for the GPU.
#include "kernels/cuda/cuda_base.h"
#include "kernels/cuda/launcher.cuh"

namespace ebm {

std::unique_ptr<Kernels> make_cuda_kernels(int device) {
  auto kernels = std::make_unique<Runner<CudaBase>>(device);
  // A GPU that this build has no code for is refused here, not in the middle of a run.
  const Buffer<float> probe(*kernels, 2);
  kernels->run(AddBias{.rows = 1, .columns = 1, .bias = probe.data(), .y = probe.data() + 1});
  kernels->synchronize();
  return kernels;
}

}  // namespace ebm
