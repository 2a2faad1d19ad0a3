// SPDX-License-Identifier: MIT
// The transforms of Winograd's F(4, 2): four outputs of a filter with two taps, y[i] = g[0] d[i] + g[1] d[i +
// 1], cost five products instead of eight,
//
//   y = A^T ((G g) . (B^T d)),
//
// where . multiplies element by element. A z are the values of the polynomial sum_i z_i t^i at the points a,
// -a, b, -b and infinity, G g those of g_0 + g_1 t divided by the denominators of Lagrange's interpolation,
// and B interpolates: B ((G g) . (A z)) are the coefficients of the product, and y is its transpose in z. In
// two dimensions each acts on columns, then on rows: 25 products instead of 64.
#pragma once

#include <cstdint>

#include "kernels/cpu/vector.h"

namespace ebm::cpu::winograd {

inline constexpr int tile = 4;    // outputs in a row of a tile
inline constexpr int points = 5;  // and inputs
inline constexpr int taps = 2;

/// Channels that lie next to each other and are transformed together.
inline constexpr int64_t lanes = Wide::lanes;
using Lanes = Wide::Value;

// The points. With these the rounding errors are half of those with 0, 1, -1, 2 and infinity.
inline constexpr float a = 0.5f, b = 1.25f, aa = a * a, bb = b * b;
inline constexpr float scale_a = 1 / (2 * a * (aa - bb)), scale_b = 1 / (2 * b * (bb - aa));

struct InputTransform {  // B^T
  static constexpr int from = points, to = points;
  static void apply(const Lanes (&d)[from], Lanes (&v)[to]) {
    const Lanes odd_a = d[3] - bb * d[1], even_a = d[2] - bb * d[0];
    const Lanes odd_b = d[3] - aa * d[1], even_b = d[2] - aa * d[0];
    v[0] = odd_a + a * even_a;
    v[1] = odd_a - a * even_a;
    v[2] = odd_b + b * even_b;
    v[3] = odd_b - b * even_b;
    v[4] = d[4] - (aa + bb) * d[2] + aa * bb * d[0];
  }
};

struct InputGradient {  // B
  static constexpr int from = points, to = points;
  static void apply(const Lanes (&v)[from], Lanes (&d)[to]) {
    const Lanes sum_a = v[0] + v[1], difference_a = a * (v[0] - v[1]);
    const Lanes sum_b = v[2] + v[3], difference_b = b * (v[2] - v[3]);
    d[0] = aa * bb * v[4] - bb * difference_a - aa * difference_b;
    d[1] = -bb * sum_a - aa * sum_b;
    d[2] = difference_a + difference_b - (aa + bb) * v[4];
    d[3] = sum_a + sum_b;
    d[4] = v[4];
  }
};

struct WeightTransform {  // G
  static constexpr int from = taps, to = points;
  static void apply(const Lanes (&g)[from], Lanes (&u)[to]) {
    u[0] = scale_a * (g[0] + a * g[1]);
    u[1] = scale_a * (a * g[1] - g[0]);
    u[2] = scale_b * (g[0] + b * g[1]);
    u[3] = scale_b * (b * g[1] - g[0]);
    u[4] = g[1];
  }
};

struct WeightGradient {  // G^T
  static constexpr int from = points, to = taps;
  static void apply(const Lanes (&u)[from], Lanes (&g)[to]) {
    g[0] = scale_a * (u[0] - u[1]) + scale_b * (u[2] - u[3]);
    g[1] = scale_a * a * (u[0] + u[1]) + scale_b * b * (u[2] + u[3]) + u[4];
  }
};

struct OutputTransform {  // A^T
  static constexpr int from = points, to = tile;
  static void apply(const Lanes (&m)[from], Lanes (&y)[to]) {
    const Lanes sum_a = m[0] + m[1], difference_a = a * (m[0] - m[1]);
    const Lanes sum_b = m[2] + m[3], difference_b = b * (m[2] - m[3]);
    y[0] = sum_a + sum_b;
    y[1] = difference_a + difference_b;
    y[2] = aa * sum_a + bb * sum_b;
    y[3] = aa * difference_a + bb * difference_b + m[4];
  }
};

struct OutputGradient {  // A
  static constexpr int from = tile, to = points;
  static void apply(const Lanes (&y)[from], Lanes (&m)[to]) {
    const Lanes even_a = y[0] + aa * y[2], odd_a = a * (y[1] + aa * y[3]);
    const Lanes even_b = y[0] + bb * y[2], odd_b = b * (y[1] + bb * y[3]);
    m[0] = even_a + odd_a;
    m[1] = even_a - odd_a;
    m[2] = even_b + odd_b;
    m[3] = even_b - odd_b;
    m[4] = y[3];
  }
};

/// T in T^T: get(i, j) is an element of `in`, put(i, j, value) takes one of the result.
template <class T, class Get, class Put>
void transform(const Get& get, const Put& put) {
  Lanes half[T::to][T::from];
#pragma GCC unroll 5
  for (int j = 0; j < T::from; ++j) {
    Lanes in[T::from], out[T::to];
#pragma GCC unroll 5
    for (int i = 0; i < T::from; ++i) in[i] = get(i, j);
    T::apply(in, out);
#pragma GCC unroll 5
    for (int i = 0; i < T::to; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 5
  for (int i = 0; i < T::to; ++i) {
    Lanes out[T::to];
    T::apply(half[i], out);
#pragma GCC unroll 5
    for (int j = 0; j < T::to; ++j) put(i, j, out[j]);
  }
}

}  // namespace ebm::cpu::winograd
