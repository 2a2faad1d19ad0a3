// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/recorder/recorder.h"

namespace ebm {

/// What the launches of one phase add up to.
struct PhaseCounts {
  std::string phase;
  int64_t launches = 0;
  double flop = 0;
  int64_t bytes_read = 0, bytes_written = 0;

  void add(const Launch& launch);
};

/// The first `depth` names of a launch's phase.
std::string outer_phase(const Launch& launch, int depth = 2);

/// By outer phase, in the order in which they come first.
std::vector<PhaseCounts> count_phases(const std::vector<Launch>& launches);

}  // namespace ebm
