// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

/// *counter += 1: the iteration's number lives on the device, so that a captured graph counts and draws fresh
/// noise.
struct Advance {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows = 1, columns = 1;
  uint64_t* counter;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.updates(counter, 1);
  }

  EBM_HD void operator()(int64_t, int64_t) const { ++*counter; }
};

}  // namespace ebm
