// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

namespace ebm {

/// Is told how many of all rows are done; may throw to end a measure.
using Told = std::function<void(int64_t done)>;

}  // namespace ebm
