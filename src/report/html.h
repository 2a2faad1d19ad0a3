// SPDX-License-Identifier: MIT
// Text as parts of an HTML page.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ebm {

/// For an element's text and a quoted attribute: & < > " ' are escaped, what is no UTF-8 becomes U+FFFD, as do
/// control characters, which HTML does not allow.
std::string html_escaped(std::string_view text);

/// A JSON string with its quotes, for a <script> too: <, > and & are \u003c and the like.
std::string json_string(std::string_view text);
/// A JSON number that gives back `value` (a float as a float); null where it is not finite.
std::string json_number(double value);

/// RFC 4648, with padding.
std::string base64(std::span<const uint8_t> bytes);

}  // namespace ebm
