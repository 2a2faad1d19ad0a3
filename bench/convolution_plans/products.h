// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cuda/context.h"

namespace ebm::cuda {

/// Prints how fast cuBLAS multiplies two square float32 matrices of random numbers in each of its modes:
/// pedantic, which Precision::full uses, its default, and with TF32 allowed. Throws Error.
void print_products(const Context& context, int64_t size);

}  // namespace ebm::cuda
