// SPDX-License-Identifier: MIT
#pragma once

#include "methods/registry.h"

namespace ebm {

/// Adam at 2e-3, down to 0.
std::unique_ptr<MethodChoice> choose_mle(NetworkKind networks, Preset preset);

}  // namespace ebm
