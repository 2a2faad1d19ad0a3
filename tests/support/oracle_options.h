// SPDX-License-Identifier: MIT
// The options of bounds and methods, as the oracle names them.
#pragma once

#include "methods/ebm_bb.h"
#include "reference/ebm_bb.h"

namespace ebm::test {

/// Throws std::invalid_argument for a preconditioner, which the oracle does not know.
void set_lower_bound(reference::EbmBbConfig& config, const EntropyBoundOptions& options);
void set_upper_bound(reference::EbmBbConfig& config, const EnergyPenaltyOptions& options);
reference::EbmBbConfig oracle_config(const EbmBbOptions& options);

}  // namespace ebm::test
