// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace ebm {

/// `text` with U+FFFD in place of what is no UTF-8 (RFC 3629), and of NUL.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace ebm
