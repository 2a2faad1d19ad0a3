// SPDX-License-Identifier: MIT
// The one symbol of libebm_cuda.so (interface.h).
#include "core/library_door.h"
#include "kernels/cuda/cuda_base.h"
#include "kernels/cuda/interface.h"

extern "C" __attribute__((visibility("default"))) ebm::Kernels* ebm_open_cuda(
    const char* interface_version, const ebm::cuda::GpuChoice& choice, char* message, size_t capacity) {
  const ebm::LibraryDoor door{.library = "libebm_cuda.so",
                              .same_build = ebm::cuda::interface_version() == interface_version,
                              .message = message,
                              .capacity = capacity};
  return door.open([&] { return ebm::make_cuda_kernels(ebm::cuda::number_of(choice)).release(); });
}
