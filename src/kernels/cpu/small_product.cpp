// SPDX-License-Identifier: MIT
// c is computed in tiles whose sums stay in vector registers while the inner index k runs through once:
//   sum[r][v] += op(a)(i + r, k) op(b)(k, j + v ...)    for all rows r and vectors v of the tile.
// That wants rows of op(b) that are contiguous: b^T is copied into panels first, as wide as a tile.
#include "kernels/cpu/small_product.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "kernels/cpu/vector.h"

namespace ebm::cpu {

namespace {

#ifdef __AVX512F__
constexpr int tile_rows = 8;  // 24 sums of 32 registers
#else
constexpr int tile_rows = 4;  // 12 sums of 16 registers
#endif
constexpr int width = Wide::lanes, tile_vectors = 3;
constexpr int64_t panel_columns = tile_vectors * width;
constexpr int64_t max_inner = 512;  // of what is copied to the stack
constexpr int64_t very_few = 4;     // fewer columns make no vector
constexpr int64_t max_summands = 3;
using Four = Vector<4>;
using One = Vector<1>;

/// op(a)(i, k) = a[i row_a + k step_a], op(b)(k, j) = b[k row_b + j], c(i, j) = c[i row_c + j step_c].
struct Operands {
  int64_t m, n, inner;
  const float* a;
  int64_t row_a, step_a;
  const float* b;
  int64_t row_b;
  float* c;
  int64_t row_c, step_c;
  float alpha, beta;
  const float* bias = nullptr;  // n, for the first bias_rows rows
  int64_t bias_rows = 0;
  float slope = 1;
};

/// h as AddBias leaves it, for a number or a vector.
template <class Value>
Value activated(Value h, float slope) {
  return h > 0 ? h : slope * h;
}

/// c = alpha sum + beta c along a vector, from (i, j).
template <class V>
[[gnu::always_inline]] inline void finish(typename V::Value sum, const Operands& p, int64_t i, int64_t j) {
  float* c = p.c + i * p.row_c + j * p.step_c;
  sum *= p.alpha;
  if (p.step_c == 1) {
    if (p.beta != 0) sum += p.beta * load<V>(c);
    if (i < p.bias_rows) sum = activated<typename V::Value>(sum + load<V>(p.bias + j), p.slope);
    store<V>(c, sum);
  } else {
    float values[V::lanes];
    store<V>(values, sum);
    for (const float value : values) {
      *c = p.beta != 0 ? value + p.beta * *c : value;
      c += p.step_c;
    }
  }
}

template <class V, int rows, int vectors>
void tile(const Operands& p, int64_t i, int64_t j) {
  typename V::Value sum[rows][vectors] = {};
  const auto run_through = [&](auto row_a) {
    const float *a = p.a + i * p.row_a, *b = p.b + j;
    for (int64_t k = 0; k < p.inner; ++k, a += p.step_a, b += p.row_b) {
#pragma GCC unroll 8
      for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) sum[r][v] += a[r * row_a] * load<V>(b + v * V::lanes);
      }
    }
  };
  if (p.row_a == 1) {
    run_through(std::integral_constant<int64_t, 1>());  // spares the registers that hold r * row_a
  } else {
    run_through(p.row_a);
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) finish<V>(sum[r][v], p, i + r, j + v * V::lanes);
  }
}

template <class V, int vectors>
void tiles_down(const Operands& p, int64_t j) {
  constexpr int fewer = 3 * tile_rows / 4;  // two of these rather than a whole tile and a low one
  int64_t i = 0;
  const auto down = [&](auto rows, int64_t end) {
    for (; i + rows <= end; i += rows) tile<V, rows, vectors>(p, i, j);
  };
  const bool even = p.m % tile_rows == tile_rows / 2 && p.m >= 2 * fewer;
  down(std::integral_constant<int, tile_rows>(), even ? p.m - 2 * fewer : p.m);
  if (even) down(std::integral_constant<int, fewer>(), p.m);
  down(std::integral_constant<int, 4>(), p.m);
  down(std::integral_constant<int, 1>(), p.m);
}

/// The sum of a vector's lanes, in four parts.
Four::Value in_fours(Wide::Value wide) {
  float lanes[width];
  store<Wide>(lanes, wide);
  Four::Value sum = load<Four>(lanes);
  for (int lane = 4; lane < width; lane += 4) sum += load<Four>(lanes + lane);
  return sum;
}

/// Lane l holds number first + l / 4.
template <int first, int... lane>
Wide::Value each_four_times(Wide::Value numbers, std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(numbers, numbers, (first + lane / 4)...);
}

/// Four columns of a plain a times a panel that is as wide: a vector holds several steps of k.
template <int rows>
void four_columns(const Operands& p, int64_t i, int64_t j, const float* panel) {
  constexpr int steps = width / 4;
  constexpr auto lanes = std::make_integer_sequence<int, width>();
  Wide::Value wide[rows] = {};
  const float* const a = p.a + i * p.row_a;
  int64_t k = 0;
  for (; k + width <= p.inner; k += width) {
    const float* const b = panel + 4 * k;
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const Wide::Value numbers = load<Wide>(a + r * p.row_a + k);
      wide[r] += each_four_times<0>(numbers, lanes) * load<Wide>(b);
      wide[r] += each_four_times<steps>(numbers, lanes) * load<Wide>(b + width);
      wide[r] += each_four_times<2 * steps>(numbers, lanes) * load<Wide>(b + 2 * width);
      wide[r] += each_four_times<3 * steps>(numbers, lanes) * load<Wide>(b + 3 * width);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
    Four::Value sum = in_fours(wide[r]);
    for (int64_t rest = k; rest < p.inner; ++rest)
      sum += a[r * p.row_a + rest] * load<Four>(panel + 4 * rest);
    finish<Four>(sum, p, i + r, j);
  }
}

void four_columns_down(const Operands& p, int64_t j) {
  float panel[4 * max_inner];
  const float* b = p.b + j;
  if (p.row_b != 4) {
    for (int64_t k = 0; k < p.inner; ++k) store<Four>(panel + 4 * k, load<Four>(b + k * p.row_b));
    b = panel;
  }
  int64_t i = 0;
  for (; i + 8 <= p.m; i += 8) four_columns<8>(p, i, j, b);
  for (; i + 4 <= p.m; i += 4) four_columns<4>(p, i, j, b);
  for (; i < p.m; ++i) four_columns<1>(p, i, j, b);
}

void tiles(const Operands& p);

/// Columns j .. p.n of a^T b as the rows of b^T a, whose tiles are wide.
void tiles_of_transpose(const Operands& p, int64_t j) {
  tiles({.m = p.n - j,
         .n = p.m,
         .inner = p.inner,
         .a = p.b + j,
         .row_a = 1,
         .step_a = p.row_b,
         .b = p.a,
         .row_b = p.step_a,
         .c = p.c + j * p.step_c,
         .row_c = p.step_c,
         .step_c = p.row_c,
         .alpha = p.alpha,
         .beta = p.beta});
}

void tiles(const Operands& p) {
  int64_t j = 0;
  for (; j + panel_columns <= p.n; j += panel_columns) tiles_down<Wide, tile_vectors>(p, j);
  for (; j + width <= p.n; j += width) tiles_down<Wide, 1>(p, j);
  if (j == p.n) return;
  if (p.row_a == 1 && p.m >= width && p.step_c == 1 && p.bias_rows == 0) return tiles_of_transpose(p, j);
  const bool plain = p.step_a == 1 && p.inner <= max_inner;
  for (; j + 4 <= p.n; j += 4) plain ? four_columns_down(p, j) : tiles_down<Four, 1>(p, j);
  for (; j < p.n; ++j) tiles_down<One, 1>(p, j);
}

/// out(k, j) = in(j, k).
void transpose(const float* in, int64_t row_in, int64_t rows, int64_t columns, float* out, int64_t row_out) {
  int64_t j = 0;
  for (; j + 4 <= rows; j += 4) {
    const float* const from = in + j * row_in;
    float* const to = out + j;
    int64_t k = 0;
    for (; k + 4 <= columns; k += 4) {
      const auto r0 = load<Four>(from + k), r1 = load<Four>(from + row_in + k),
                 r2 = load<Four>(from + 2 * row_in + k), r3 = load<Four>(from + 3 * row_in + k);
      const auto low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5),
                 high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7),
                 low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5),
                 high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
      const Four::Value columns_of[] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                                        __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                                        __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                                        __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
      for (int64_t c = 0; c < 4; ++c) store<Four>(to + (k + c) * row_out, columns_of[c]);
    }
    for (; k < columns; ++k) {
      for (int64_t r = 0; r < 4; ++r) to[k * row_out + r] = from[r * row_in + k];
    }
  }
  for (; j < rows; ++j) {
    for (int64_t k = 0; k < columns; ++k) out[k * row_out + j] = in[j * row_in + k];
  }
}

Operands operands(const Block& g) {
  const bool plain_a = g.transpose_a == Transpose::no;
  return {.m = g.m,
          .n = g.n,
          .inner = g.inner,
          .a = g.a,
          .row_a = plain_a ? g.stride_a : 1,
          .step_a = plain_a ? 1 : g.stride_a,
          .b = g.b,
          .row_b = g.stride_b,
          .c = g.c,
          .row_c = g.stride_c,
          .step_c = 1,
          .alpha = g.alpha,
          .beta = g.beta,
          .bias = g.bias,
          .bias_rows = g.bias_rows,
          .slope = g.slope};
}

/// op(a) b^T.
void tiles_of_panels(const Block& g) {
  float panel[max_inner * panel_columns];
  for (int64_t j = 0; j < g.n; j += panel_columns) {
    const Block part = g.columns({j, std::min(j + panel_columns, g.n)});
    transpose(part.b, part.stride_b, part.n, part.inner, panel, part.n);
    Operands p = operands(part);
    p.b = panel;
    p.row_b = part.n;
    tiles(p);
  }
}

/// Dot products of `rows` rows of a with a vector. Each row's is summed in the same order for any `rows`.
template <int rows>
void dots_of_rows(const float* a, int64_t stride, const float* b, int64_t n, float (&out)[rows]) {
  Wide::Value wide[rows] = {};
  Four::Value four[rows] = {};
  float one[rows] = {};
  int64_t k = 0;
  for (; k + width <= n; k += width) {
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) wide[r] += load<Wide>(a + r * stride + k) * load<Wide>(b + k);
  }
  for (; k + 4 <= n; k += 4) {
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) four[r] += load<Four>(a + r * stride + k) * load<Four>(b + k);
  }
  for (; k < n; ++k) {
    for (int r = 0; r < rows; ++r) one[r] += a[r * stride + k] * b[k];
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    const Four::Value sum = four[r] + in_fours(wide[r]);
    out[r] = (sum[0] + sum[1]) + (sum[2] + sum[3]) + one[r];
  }
}

/// Rows i .. i + rows of a op(b), the rows of `columns` being the columns of op(b).
template <int rows>
void rows_of_dots(const Block& g, int64_t i, const float* columns, int64_t stride) {
  for (int64_t j = 0; j < g.n; ++j) {
    float sums[rows];
    dots_of_rows<rows>(g.a + i * g.stride_a, g.stride_a, columns + j * stride, g.inner, sums);
    for (int r = 0; r < rows; ++r) {
      float& c = g.c[(i + r) * g.stride_c + j];
      c = g.beta != 0 ? g.alpha * sums[r] + g.beta * c : g.alpha * sums[r];
      if (i + r < g.bias_rows) c = activated(c + g.bias[j], g.slope);
    }
  }
}

/// a op(b) with very few columns: each element is a dot product along a row of a.
void dots(const Block& g) {
  float columns[(very_few - 1) * max_inner];
  const float* b = g.b;
  int64_t stride = g.stride_b;
  if (g.transpose_b == Transpose::no) {
    transpose(g.b, g.stride_b, g.inner, g.n, columns, g.inner);
    b = columns;
    stride = g.inner;
  }
  int64_t i = 0;
  for (; i + 4 <= g.m; i += 4) rows_of_dots<4>(g, i, b, stride);
  for (; i < g.m; ++i) rows_of_dots<1>(g, i, b, stride);
}

/// c(i, j ...) = the sum over k of factors[k] b(k, j ...), with bias and activation if there is a bias.
template <class V, int inner>
void sum_of_rows(const Operands& p, const float (&factors)[inner], const float* bias, float* c, int64_t j) {
  typename V::Value sum = factors[0] * load<V>(p.b + j);
#pragma GCC unroll 4
  for (int k = 1; k < inner; ++k) sum += factors[k] * load<V>(p.b + k * p.row_b + j);
  if (bias != nullptr) sum = activated<typename V::Value>(sum + load<V>(bias + j), p.slope);
  store<V>(c + j, sum);
}

/// op(a) b with few summands, where a tile's beginning and end would take longer than its sums.
template <int inner>
void sums_of_rows(const Operands& p) {
  for (int64_t i = 0; i < p.m; ++i) {
    float factors[inner];
    for (int k = 0; k < inner; ++k) factors[k] = p.alpha * p.a[i * p.row_a + k * p.step_a];
    const float* const bias = i < p.bias_rows ? p.bias : nullptr;
    float* const c = p.c + i * p.row_c;
    int64_t j = 0;
    for (; j + width <= p.n; j += width) sum_of_rows<Wide>(p, factors, bias, c, j);
    for (; j + 4 <= p.n; j += 4) sum_of_rows<Four>(p, factors, bias, c, j);
    for (; j < p.n; ++j) sum_of_rows<One>(p, factors, bias, c, j);
  }
}

bool has_few_summands(const Block& g) {
  return g.inner >= 1 && g.inner <= max_summands && g.n <= max_inner && g.beta == 0;
}

void few_summands(const Block& g) {
  float rows_of_b[max_summands * max_inner];
  Operands p = operands(g);
  if (g.transpose_b == Transpose::yes) {
    transpose(g.b, g.stride_b, g.n, g.inner, rows_of_b, g.n);
    p.b = rows_of_b;
    p.row_b = g.n;
  }
  switch (g.inner) {
    case 1:
      return sums_of_rows<1>(p);
    case 2:
      return sums_of_rows<2>(p);
    default:
      return sums_of_rows<3>(p);
  }
}

}  // namespace

bool is_small_product(const Block& g) {
  const bool plain_b = g.transpose_b == Transpose::no;
  const bool copies = g.n < very_few && g.transpose_a == Transpose::no ? plain_b : !plain_b;
  return g.n * g.inner <= 32 * 1024 && (!copies || g.inner <= max_inner);
}

void small_product(const Block& g) {
  if (g.n < very_few && g.transpose_a == Transpose::no) {
    dots(g);
  } else if (has_few_summands(g)) {
    few_summands(g);
  } else if (g.transpose_b == Transpose::yes) {
    tiles_of_panels(g);
  } else {
    tiles(operands(g));
  }
}

}  // namespace ebm::cpu
