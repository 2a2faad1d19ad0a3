// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "kernels/kernels.h"

namespace ebm {

/// The CPU as a device: OpenMP, oneDNN products, Random123 noise. Uses OMP_NUM_THREADS threads, by default
/// one for each core that the process may use, and at most OMP_THREAD_LIMIT.
std::unique_ptr<Kernels> make_cpu_kernels();

}  // namespace ebm
