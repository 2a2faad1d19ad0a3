// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ebm {

/// The SHA-256 of `bytes` (FIPS 180-4) as 64 hexadecimal digits, as sha256sum prints it.
std::string sha256(std::span<const uint8_t> bytes);

}  // namespace ebm
