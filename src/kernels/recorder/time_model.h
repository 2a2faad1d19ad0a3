// SPDX-License-Identifier: MIT
// A model of the time that a GPU takes for recorded launches, from its ceilings alone (docs/performance.md,
// "A model of the time"):
//   a launch          max(FLOP / peak, bytes / bandwidth) + a fixed cost
//   one after another the sum
//   a collective      max(what its links take (interconnect.h), bytes / bandwidth) + a fixed cost
//   two branches      the longer one, and no less than what both together ask of memory and of each unit
// That is its floor; or, with rates that were measured (forecast.h), what it probably takes.
#pragma once

#include <optional>

#include "kernels/recorder/device_file.h"
#include "kernels/recorder/forecast.h"
#include "kernels/recorder/interconnect.h"
#include "kernels/recorder/phases.h"

namespace ebm {

struct TimeModel {
  DeviceCeilings device;
  double launch_seconds;               ///< of each launch of a graph, whatever it does
  Interconnect links{};                ///< of ranks, where there are several
  std::optional<Forecast> forecast{};  ///< of a device that describes its processors; none: the floor

  double seconds(const Launch& launch) const;
  /// With branches side by side.
  double seconds(const std::vector<Launch>& launches) const;
};

/// What ranks do together in an iteration.
struct RankCost {
  int64_t sums = 0, gathers = 0;                 ///< calls
  int64_t summed_bytes = 0, gathered_bytes = 0;  ///< of the arrays that all end with
  double seconds = 0;                            ///< of all calls, one after another
  double exposed_seconds = 0;  ///< by which the iteration is longer: nothing else runs meanwhile
};
RankCost cost_of_ranks(const TimeModel& model, const std::vector<Launch>& launches);

/// What some launches cost one after another.
struct ModelledCost {
  PhaseCounts counts;  ///< its phase: what they have in common
  double seconds = 0;
  double product_seconds = 0;  ///< of products and convolutions

  void add(const TimeModel& model, const Launch& launch);
};

/// By outer phase, in order.
std::vector<ModelledCost> cost_by_phase(const TimeModel& model, const std::vector<Launch>& launches);

/// By outer phase, name and shape, the dearest first.
std::vector<ModelledCost> cost_by_kind(const TimeModel& model, const std::vector<Launch>& launches);

}  // namespace ebm
