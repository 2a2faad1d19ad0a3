// SPDX-License-Identifier: MIT
// Programs under a system that refuses locks or reading, and what they write in which order: through
// tests/preload/system_calls.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ebm::test {

/// What the system is to do to a program. Nothing, as it is.
struct SystemFaults {
  int flock_error = 0;             ///< of errno: flock fails with it
  int read_error = 0;              ///< of errno: reading fails with it ...
  std::string read_error_in = {};  ///< ... from files with this in their paths
};

/// Whether a program can be run so: the library was built, and no sanitizer wants to be loaded before it.
bool can_intercept_system_calls();

/// The command, to be run with these faults, and with its calls written down in the file `log`, if one is
/// named. `environment` holds more variables, "NAME=VALUE".
std::vector<std::string> intercepted(const std::vector<std::string>& command, const SystemFaults& faults,
                                     const std::filesystem::path& log = {},
                                     const std::vector<std::string>& environment = {});

/// A call that succeeded.
struct SystemCall {
  std::string name;  ///< "write", "sync", "rename", "remove"
  std::filesystem::path path, target;
};

/// The calls of a log, in order.
std::vector<SystemCall> read_system_calls(const std::filesystem::path& log);

}  // namespace ebm::test
