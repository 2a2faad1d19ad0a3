// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>

#include "core/error.h"

namespace ebm {

/// The Error of what cannot be read, for a value of errno: "cannot WHAT 'PATH': ...; ..." with a remedy that
/// is true of reading (its permissions, its path, the disk), never one of writing.
Error read_error(const std::filesystem::path& path, int code, std::string_view what = "read");

}  // namespace ebm
