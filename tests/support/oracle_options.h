// SPDX-License-Identifier: MIT
// The options of bounds and games, as the oracle names them.
#pragma once

#include "methods/ebm_bb.h"
#include "reference/game.h"

namespace ebm::test {

/// Throws std::invalid_argument for a preconditioner, which the oracle's game does not know.
void set_lower_bound(reference::GameConfig& config, const EntropyBoundOptions& options);
void set_upper_bound(reference::GameConfig& config, const EnergyPenaltyOptions& options);
reference::GameConfig oracle_config(const EbmBbOptions& options);

}  // namespace ebm::test
