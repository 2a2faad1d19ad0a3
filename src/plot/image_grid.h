// SPDX-License-Identifier: MIT
#pragma once
// Many small images on one page.

#include <cstdint>
#include <span>

#include "core/view.h"
#include "io/png.h"

namespace ebm {

/// The grey level of a number that is not NaN: -1 becomes 0 and 1 becomes 255, values beyond are clipped.
[[nodiscard]] uint8_t grey_level(float value);

/// Images of one shape in rows of `columns` on white, with gaps of two pixels, the first at the top left.
/// `images` holds N x H x W x C numbers (C = 1: grey, or 3: red, green, blue); -1 becomes 0 and 1 becomes
/// 255, values beyond are clipped, NaN is magenta. Small images are enlarged: each pixel becomes a square so
/// that an image is at least 64 pixels high. Throws Error when the sizes make no sense.
[[nodiscard]] Image image_grid(std::span<const float> images, const Features& shape, int64_t columns);

}  // namespace ebm
