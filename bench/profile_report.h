// SPDX-License-Identifier: MIT
// Tables of a profile on stdout. Each time stands beside its floor, the time of the products at the rate
// `peak` (FLOP/s); what lies above 1.3 times its floor is marked with a *.
#pragma once

#include "profile.h"

namespace ebm::bench {

/// The phases, down to the maps of whole networks: milliseconds of an iteration.
void print_phases(const RangeNode& root, int iterations, double peak);

/// Every map of every layer: milliseconds of one call, the fastest, since other work on the machine slows
/// some.
void print_layers(const RangeNode& root, int iterations, double peak);

}  // namespace ebm::bench
