// SPDX-License-Identifier: MIT
#pragma once
// Green's cubehelix (D. A. Green, 2011, "A colour scheme for the display of astronomical intensity images",
// Bull. Astr. Soc. India 39, 289, eq. 2): colours on a helix around the grey diagonal of the RGB cube. With l
// the lightness,
//
//   phi = 2 pi (start / 3 + rotations * l),   a = hue * l (1 - l) / 2
//   (R, G, B) = l + a * [[-0.14861, 1.78277], [-0.29227, -0.90649], [1.97294, 0]] (cos phi, sin phi)
//
// whose luminance 0.30 R + 0.59 G + 0.11 B is l itself, so the order of values survives a grey printer.

#include "io/png.h"

namespace ebm {

/// White at 0 and nearly black at 1, by way of turquoise, blue and violet: a density is ink on paper. l falls
/// linearly from 1 to 0.06. Values outside [0, 1] take the colour of the nearer end; NaN is magenta, which
/// the map does not contain.
[[nodiscard]] Rgb colour(float value);

}  // namespace ebm
