// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace ebm {

/// This machine's name; "" where it has none.
std::string host_name();

/// Tells a boot of a machine from all others, also inside a container, which may have any name.
std::string node_identity();

}  // namespace ebm
