// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "kernels/kernels.h"

namespace ebm {

/// The CPU as a device: OpenMP, oneDNN products, Random123 noise. Uses OMP_NUM_THREADS threads.
std::unique_ptr<Kernels> make_cpu_kernels();

}  // namespace ebm
