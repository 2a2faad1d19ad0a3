// SPDX-License-Identifier: MIT
#pragma once
// The decoders behind decode_image, one for each format that is not in src/io.

#include <span>
#include <string>

#include "core/error.h"
#include "io/png.h"

namespace ebm {

/// The Error of a picture that cannot be decoded: "cannot use the picture 'NAME': REASON; get it again
/// (...)".
Error undecodable(const std::string& name, const std::string& reason);

/// A JPEG picture as Pillow's convert("RGB") has it: grey, YCbCr and RGB; CMYK and YCCK, taken as inverted
/// like all that Adobe writes, red = (cyan' black') / 255 of the stored bytes, rounded to the nearest. What
/// is odd but loses no pixel (revision of JFIF, sequential scans with another Se, bytes between segments) is
/// read; what does lose some (the end before EOI, bad codes, missing restart markers) is an Error.
Image decode_jpeg(std::span<const uint8_t> bytes, const std::string& name);

/// A WebP picture; of an animation the first frame. Transparency lies over white (over_white).
Image decode_webp(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace ebm
