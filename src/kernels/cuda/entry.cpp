// SPDX-License-Identifier: MIT
// The one symbol of libebm_cuda.so (interface.h).
#include <cstdio>
#include <exception>

#include "kernels/cuda/cuda_base.h"
#include "kernels/cuda/interface.h"

extern "C" __attribute__((visibility("default"))) ebm::Kernels* ebm_open_cuda(const char* interface_version,
                                                                              int device, char* message,
                                                                              size_t capacity) {
  const auto refuse = [&](const char* reason) -> ebm::Kernels* {
    std::snprintf(message, capacity, "%s", reason);
    return nullptr;
  };
  try {
    if (ebm::cuda::interface_version() != interface_version) {
      return refuse("libebm_cuda.so is not of this program's build; build both again with `make`");
    }
    return ebm::make_cuda_kernels(device).release();
  } catch (const std::exception& error) {
    return refuse(error.what());
  }
}
