// SPDX-License-Identifier: MIT
#include "kernels/recorder/phases.h"

#include <algorithm>

namespace ebm {

void PhaseCounts::add(const Launch& launch) {
  ++launches;
  flop += launch.flop;
  bytes_read += launch.bytes_read();
  bytes_written += launch.bytes_written();
}

std::string outer_phase(const Launch& launch, int depth) {
  size_t end = 0;
  for (int i = 0; i < depth && end != std::string::npos; ++i)
    end = launch.phase.find('/', i == 0 ? 0 : end + 1);
  return launch.phase.substr(0, end);
}

std::vector<PhaseCounts> count_phases(const std::vector<Launch>& launches) {
  std::vector<PhaseCounts> phases;
  for (const Launch& launch : launches) {
    const std::string phase = outer_phase(launch);
    auto found = std::find_if(phases.begin(), phases.end(), [&](const auto& p) { return p.phase == phase; });
    if (found == phases.end()) found = phases.insert(phases.end(), {.phase = phase});
    found->add(launch);
  }
  return phases;
}

}  // namespace ebm
