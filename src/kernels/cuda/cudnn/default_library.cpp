// SPDX-License-Identifier: MIT
// The one file of the CUDA half that the emulation replaces (by tests/emulated_cuda/dnn.cpp).
#include "kernels/cuda/cudnn/library.h"

namespace ebm::cuda {

Cudnn default_cudnn() {
  return open_cudnn(cudnn_file());
}

}  // namespace ebm::cuda
