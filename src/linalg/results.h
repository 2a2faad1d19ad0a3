// SPDX-License-Identifier: MIT
#pragma once

#include "core/view.h"
#include "kernels/formulas/sample_status.h"

namespace ebm {

/// One number a sample, on the device: rows = B, flat(1).
using SampleNumbers = BasicView<const double>;
/// Bits of SampleStatus a sample.
using SampleStatuses = BasicView<const int32_t>;

/// What LOBPCG and the exact Gram matrix know of the smallest singular value of each J. Views into the
/// solver, valid until its next run. With v held constant, d log s1 = <J v, dJ v> / theta; at floor_hit there
/// is no gradient and log s1 is half the logarithm of floor2; a bad_sample must be left out (its numbers are
/// finite stand-ins: theta 1, images 0).
struct SmallestSingular {
  ConstView v;           ///< B x d, unit
  ConstView jv;          ///< B x D: J v
  SampleNumbers theta;   ///< ||J v||^2, the estimate of s1^2
  SampleNumbers floor2;  ///< the floor under theta
  SampleStatuses status;
  ConstView jv0_unit;     ///< B x D: J v0 / ||v0||, kept from the first pass
  SampleNumbers norm_v0;  ///< ||v0||; 0 where v0 was 0 or not finite
};

}  // namespace ebm
