// SPDX-License-Identifier: MIT
// exp and tanh of float32. A GPU has its own; on a CPU the C library's are calls, one number each, which took 45 % of
// an iteration on points with smooth networks. These are inline, always, since g++ finds them long, and without branches:
// so loops over them become vectors. Polynomials: S. L. Moshier, Cephes (expf, tanhf), within 2 units in the last place.
#pragma once

#include <bit>

#include "kernels/formulas/formula.h"

namespace ebm {

#if defined(__CUDA_ARCH__) || defined(EBM_EMULATED_GPU)

EBM_HD inline float exp_of(float x) {
  return expf(x);
}
EBM_HD inline float tanh_of(float x) {
  return tanhf(x);
}

#else

/// exp x = 2^k exp r, |r| <= log(2) / 2. Above 88.7 infinity, below -103.9 zero, of NaN NaN.
[[gnu::always_inline]] EBM_HD inline float exp_of(float x) {
  constexpr float log2_e = 1.44269504f,
                  whole = 12582912;  // 1.5 * 2^23: what is added to it loses its fraction
  constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  x = x > 89 ? 89 : x;
  x = x < -104 ? -104 : x;
  const float shifted = x * log2_e + whole, k = shifted - whole;
  const float r = x - k * ln2_high - k * ln2_low;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float y = p * r * r + r + 1;
  // 2^k in two factors: 2^128 and 2^-150 are no float32.
  const auto power = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(whole);
  const auto two_to = [](int32_t n) { return std::bit_cast<float>(static_cast<uint32_t>(n + 127) << 23); };
  return y * two_to(power >> 1) * two_to(power - (power >> 1));
}

/// x + x^3 P(x^2) near 0, else 1 - 2 / (1 + exp 2|x|) with the sign of x.
[[gnu::always_inline]] EBM_HD inline float tanh_of(float x) {
  const float size = x < 0 ? -x : x, z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float far = 1 - 2 / (1 + exp_of(2 * size));
  return size < 0.625f ? x + x * z * p : (x < 0 ? -far : far);
}

#endif

}  // namespace ebm
