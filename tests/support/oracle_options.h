// SPDX-License-Identifier: MIT
// The options of bounds and games, as the oracle names them.
#pragma once

#include "reference/game.h"
#include "train/game.h"

namespace ebm::test {

/// Throws std::invalid_argument for a preconditioner, which the oracle's game does not know.
void set_lower_bound(reference::GameConfig& config, const LowerBoundOptions& options);
void set_upper_bound(reference::GameConfig& config, const UpperBoundOptions& options);
reference::GameConfig oracle_config(const GameOptions& options);

}  // namespace ebm::test
