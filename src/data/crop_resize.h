// SPDX-License-Identifier: MIT
#pragma once
// A picture of any shape as a square of a given side: the longer edge is cropped to the shorter one, then the
// square is resized.
//
// Resizing is antialiased bilinear interpolation, first along the rows, then along the columns. With
// scale = side_in / side_out and s = max(1, scale), pixel i of a line is the mean of the line's pixels j
// weighted by
//   max(0, 1 - |(j + 1/2) - (i + 1/2) scale| / s):
// a triangle as wide as one output pixel, or as two input pixels when enlarging; weights beyond the line are
// left out. Values are rounded to the nearest integer once, at the end.

#include <cstdint>
#include <vector>

#include "io/png.h"

namespace ebm {

/// How many pixels longer the longer edge is: the crop starts at one of the offsets 0 .. crop_room(image).
int64_t crop_room(const Image& image);
/// The offset that leaves as much on either side, (room / 2) rounded to even where it ends in a half.
int64_t centre_offset(const Image& image);

/// The picture cropped from `offset` on and resized, side x side x 3 bytes. `side` is at least 1.
std::vector<uint8_t> crop_and_resize(const Image& image, int64_t offset, int64_t side);

}  // namespace ebm
