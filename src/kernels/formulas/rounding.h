// SPDX-License-Identifier: MIT
// float32 to bfloat16 and back.
#pragma once

#include <cstring>

#include "core/bfloat16.h"
#include "kernels/formulas/formula.h"

namespace ebm {

EBM_HD inline float expanded(float x) {
  return x;
}
EBM_HD inline float expanded(bfloat16 x) {
  const uint32_t bits = uint32_t{x.bits} << 16;
  float y;
  memcpy(&y, &bits, sizeof y);
  return y;
}

/// x as a number of type T: to the nearest, ties to even; a NaN stays a NaN.
template <class T>
EBM_HD T rounded(float x);
template <>
EBM_HD inline float rounded<float>(float x) {
  return x;
}
template <>
EBM_HD inline bfloat16 rounded<bfloat16>(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  const uint32_t quiet = (bits >> 16) | 0x40;
  const bool is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
  return {static_cast<uint16_t>(is_nan ? quiet : nearest)};
}

}  // namespace ebm
