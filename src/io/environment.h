// SPDX-License-Identifier: MIT
#pragma once
// What a run was made with, to be kept beside its results.

#include <string>
#include <vector>

namespace ebm {

struct NameValue {
  std::string name;
  std::string value;
  bool operator==(const NameValue&) const = default;
};

/// version (-DEBM_VERSION="..." at compile time, else "unknown"), compiler, build_flags
/// (-DEBM_BUILD_FLAGS="..."), hdf5, host, cpu, threads (that compute on the host, as the caller knows), date
/// (ISO 8601, UTC) and command_line (quoted so that a shell reads it back), in this order. Throws nothing:
/// what cannot be found out is "unknown".
[[nodiscard]] std::vector<NameValue> environment(int argc, const char* const* argv, int threads);

/// Words as a shell reads them back.
[[nodiscard]] std::string command_line(const std::vector<std::string>& words);

/// The version alone.
[[nodiscard]] std::string version();

}  // namespace ebm
