// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "train/game.h"
#include "train/method.h"

namespace ebm {

/// Runs one iteration of `game` and writes all that another program needs to replay it: constants, draws, the
/// state before and after, gradients and results (docs/formats.md, "Iteration dump"). The iteration itself is
/// the same as without. Waits for the device. Throws Error.
void dump_iteration(Game& game, Method method, Preset preset, const std::filesystem::path& path);

}  // namespace ebm
