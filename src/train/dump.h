// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "io/options.h"
#include "train/method.h"

namespace ebm {

/// Runs one iteration of `method` and writes all that another program needs to replay it: `options` (what the
/// run is: Options::run_values), draws, the state before and after, gradients and results (docs/formats.md,
/// "Iteration dump"). The iteration itself is the same as without. Waits for the device. Throws Error.
void dump_iteration(Method& method, const std::vector<OptionValue>& options,
                    const std::filesystem::path& path);

}  // namespace ebm
