// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/environment.h"
#include "io/hdf5_file.h"
#include "io/options.h"

namespace ebm {

/// The options of a configuration (Options::to_toml) with their values as text, in the order of its lines. `source`
/// is where it lies, for the message of the Error when it is no TOML.
[[nodiscard]] std::vector<NameValue> config_values(std::string_view config, const std::string& source);

/// The same with their types; `program` is no option.
[[nodiscard]] std::vector<OptionValue> config_options(std::string_view config, const std::string& source);

/// An option as an attribute of its type, a flag as an int64, of an object in a file. Throws Error.
void write_option(Hdf5File& file, std::string_view object, const OptionValue& option);

}  // namespace ebm
