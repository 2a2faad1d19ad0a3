// SPDX-License-Identifier: MIT
// What may go wrong with one sample of a batch. The bits stay on the device; nothing is thrown and nobody
// waits.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

enum SampleStatus : int32_t {
  bad_sample = 1,  ///< a number was NaN or infinite: leave the sample out (its results are finite stand-ins)
  w_masked = 2,    ///< a search direction was dropped: a zero residual, or no dimension left
  floor_hit = 4,   ///< s1 is numerically zero: use the floor in the loss, and no gradient
};

/// The floor under s1^2: (1e-6 sqrt(trace of J^T J))^2, and never zero, so that its logarithm is finite.
/// 1e-90 lies below the square of the smallest float32.
EBM_HD inline double floor_squared(double trace) {
  const double smallest = 1e-90;
  return 1e-12 * trace > smallest ? 1e-12 * trace : smallest;
}

}  // namespace ebm
