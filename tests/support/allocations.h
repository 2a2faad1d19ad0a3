// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

namespace ebm::test {

/// How many times this process has called operator new, libraries included; nothing under a sanitizer, which
/// has an operator new of its own.
std::optional<int64_t> operator_new_calls();

}  // namespace ebm::test
