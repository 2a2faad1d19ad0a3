// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace ebm {

/// The longest beginning of `text`, UTF-8, that a terminal shows in at most `columns` columns: whole
/// characters with their combining marks. Characters of East Asia and pictographs take two columns each,
/// combining marks none, a byte that is no UTF-8 one.
[[nodiscard]] std::string_view first_columns(std::string_view text, int64_t columns);

}  // namespace ebm
