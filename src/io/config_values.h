// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/environment.h"

namespace ebm {

/// The options of a configuration (Options::to_toml) with their values as text, in the order of its lines. `source`
/// is where it lies, for the message of the Error when it is no TOML.
[[nodiscard]] std::vector<NameValue> config_values(std::string_view config, const std::string& source);

}  // namespace ebm
