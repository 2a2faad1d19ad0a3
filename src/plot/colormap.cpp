// SPDX-License-Identifier: MIT
#include "plot/colormap.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ebm {
namespace {

constexpr double start = 0.5, rotations = -0.6, hue = 1.2;  // nowhere outside the RGB cube
constexpr double darkest = 0.06;
constexpr Rgb not_a_number{255, 0, 160};

uint8_t to_byte(double value) {
  return static_cast<uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
}

}  // namespace

Rgb colour(float value) {
  if (std::isnan(value)) return not_a_number;
  const double l = 1 - (1 - darkest) * std::clamp(static_cast<double>(value), 0.0, 1.0);
  const double phi = 2 * std::numbers::pi * (start / 3 + rotations * l);
  const double a = hue * l * (1 - l) / 2;
  const double c = a * std::cos(phi), s = a * std::sin(phi);
  return {to_byte(l - 0.14861 * c + 1.78277 * s), to_byte(l - 0.29227 * c - 0.90649 * s),
          to_byte(l + 1.97294 * c)};
}

}  // namespace ebm
