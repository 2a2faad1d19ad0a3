// SPDX-License-Identifier: MIT
// The one file of NCCL's that the emulation replaces (by tests/emulated_cuda/nccl.cpp).
#include "kernels/cuda/nccl/library.h"
#include "kernels/library_search.h"

namespace ebm::cuda {

Nccl default_nccl() {
  return open_nccl(collective_library);
}

}  // namespace ebm::cuda
