// SPDX-License-Identifier: MIT
// Ranks in one process with an emulated GPU each.
#pragma once

#include "kernels/cuda/interface.h"
#include "support/environment.h"
#include "thread_ranks.h"

namespace ebm::test {

inline constexpr const char* emulated_gpus = "EBM_EMULATED_GPUS";

/// run_ranks with GPU `rank` for each, where the ranks have met; null is given to one that is alone.
inline void run_gpu_ranks(int64_t size, const std::function<void(Kernels&, Communicator*)>& work) {
  open_device("emulated");  // without TF32
  const Environment gpus(emulated_gpus, std::to_string(size));
  run_ranks(size, [&](HostRanks* hosts) {
    const auto number = static_cast<int>(hosts == nullptr ? 0 : hosts->rank());
    const auto kernels = open_cuda_library(emulated_library(), number);
    const auto ranks = hosts == nullptr ? nullptr : kernels->meet(*hosts);
    work(*kernels, ranks.get());
  });
}

}  // namespace ebm::test
