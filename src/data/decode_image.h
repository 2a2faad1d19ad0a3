// SPDX-License-Identifier: MIT
#pragma once
// Compressed pictures as 8-bit RGB.

#include <span>
#include <string>

#include "io/png.h"

namespace ebm {

/// Decodes a JPEG, PNG or WebP picture (told by its first bytes): grey becomes RGB, transparency lies over
/// white. `name` is the picture's, for messages. Throws Error when it is none of these, damaged, cut, or
/// larger than 64 million pixels.
Image decode_image(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace ebm
