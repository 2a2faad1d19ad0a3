// SPDX-License-Identifier: MIT
#pragma once
// Compressed pictures as 8-bit RGB.

#include <span>
#include <string>

#include "io/png.h"

namespace ebm {

/// Decodes a JPEG, PNG or WebP picture (told by its first bytes): grey and CMYK become RGB, transparency lies
/// over white (over_white), an animation is its first frame. No orientation and no colour profile is applied.
/// What Pillow reads without losing pixels is read (decode_formats.h, png.h). `name` is the picture's, for
/// messages. Throws Error when it is none of these, damaged, cut, or larger than max_pixels_read.
Image decode_image(std::span<const uint8_t> bytes, const std::string& name);

/// Whether `bytes` begin as one of these pictures do.
bool begins_as_picture(std::span<const uint8_t> bytes);

}  // namespace ebm
