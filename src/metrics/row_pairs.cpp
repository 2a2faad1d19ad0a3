// SPDX-License-Identifier: MIT
#include "metrics/row_pairs.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"

namespace ebm {

namespace {

// A tile of the result stays in registers while its sums go over k: tile_rows x tile_columns of float64. Rows
// of both sides are packed as float64, `strip` of k at a time and `block` rows of the left side, so that what a
// tile reads of one k lies side by side.
constexpr int64_t tile_rows = 6, tile_columns = 8, strip = 256, block = 40 * tile_rows;
// Columns that one instruction of AVX2 computes; g++ makes two of it where there is less.
using Lanes = double __attribute__((vector_size(32)));
/// The same in an array of double. (memcpy would move it in halves, through memory.)
using LanesInMemory = double __attribute__((vector_size(32), aligned(8), may_alias));
constexpr int64_t lanes = sizeof(Lanes) / sizeof(double), groups = tile_columns / lanes;

Lanes load(const double* from) {
  return *reinterpret_cast<const LanesInMemory*>(from);
}

/// Rows of a matrix, depth numbers each.
template <class T>
struct Rows {
  std::span<const T> values;
  int64_t depth;

  [[nodiscard]] int64_t count() const { return static_cast<int64_t>(values.size()) / depth; }
  [[nodiscard]] const T* row(int64_t i) const { return values.data() + i * depth; }
};

/// Some of the numbers of each row.
struct Strip {
  int64_t first, length;
};

/// A strip of `count` rows from `first` on, transposed: (length, height), zeros where there are no more rows.
template <class T>
void pack(const Rows<T>& rows, int64_t first, int64_t height, const Strip& of, double* packed) {
  const int64_t count = std::min(height, rows.count() - first);
  if (count < height) std::fill_n(packed, of.length * height, 0.0);
  for (int64_t c = 0; c < count; ++c) {
    const T* source = rows.row(first + c) + of.first;
    for (int64_t k = 0; k < of.length; ++k) packed[k * height + c] = source[k];
  }
}

/// How many rows the tile at row i of `end` has.
int64_t tile_height(int64_t i, int64_t end) {
  return i + tile_rows <= end ? tile_rows : 1;
}

/// Adds the products of `length` k to `height` rows of a tile: out(r, c), c < columns, in rows of out_stride
/// numbers, from rows that are packed.
template <int64_t height>
void add_tile(const double* a, const double* packed, int64_t length, double* out, int64_t out_stride,
              int64_t columns) {
  Lanes sums[height][groups] = {};
  double edge[tile_columns] = {};  // a row of the tile, whole where out has fewer columns
  for (int64_t r = 0; r < height; ++r) {
    std::copy_n(out + r * out_stride, columns, edge);
    for (int64_t g = 0; g < groups; ++g) sums[r][g] = load(edge + g * lanes);
  }
  for (int64_t k = 0; k < length; ++k) {
    Lanes b[groups];
#pragma GCC unroll 8
    for (int64_t g = 0; g < groups; ++g) b[g] = load(packed + k * tile_columns + g * lanes);
#pragma GCC unroll 8
    for (int64_t r = 0; r < height; ++r) {
      const Lanes x = a[k * height + r] - Lanes{};  // in all lanes
#pragma GCC unroll 8
      for (int64_t g = 0; g < groups; ++g) sums[r][g] += x * b[g];
    }
  }
  for (int64_t r = 0; r < height; ++r) {
    for (int64_t g = 0; g < groups; ++g) *reinterpret_cast<LanesInMemory*>(edge + g * lanes) = sums[r][g];
    std::copy_n(edge, columns, out + r * out_stride);
  }
}

template <class A, class B>
void check(const Rows<A>& a, const Rows<B>& b, size_t out) {
  const auto whole = [](size_t values, int64_t depth) { return values % static_cast<size_t>(depth) == 0; };
  if (a.depth > 0 && whole(a.values.size(), a.depth) && whole(b.values.size(), b.depth) &&
      out == static_cast<size_t>(a.count() * b.count()))
    return;
  throw Error("pairs of rows: " + std::to_string(a.values.size()) + " and " +
              std::to_string(b.values.size()) + " numbers in rows of " + std::to_string(a.depth) +
              " do not make " + std::to_string(out) + " pairs; give whole rows and a result of n x m");
}

enum class Part { all, from_the_diagonal };

/// Rows from `first` to `end` of the left side, with all columns.
struct Block {
  int64_t first, end;
};

/// Adds one strip's products to the tiles of a block of rows. `left` and `right` are room for what is packed.
template <class A, class B>
void add_block(const Rows<A>& a, const Rows<B>& b, const Block& rows, const Strip& of, Part part,
               std::vector<double>& left, std::vector<double>& right, std::span<double> out) {
  for (int64_t i = rows.first; i < rows.end; i += tile_height(i, rows.end))
    pack(a, i, tile_height(i, rows.end), of, left.data() + (i - rows.first) * of.length);
  const int64_t m = b.count();
  for (int64_t j = 0; j < m; j += tile_columns) {
    const int64_t columns = std::min(tile_columns, m - j);
    const int64_t end = part == Part::all ? rows.end : std::min(rows.end, j + columns);
    if (end <= rows.first) continue;
    pack(b, j, tile_columns, of, right.data());
    for (int64_t i = rows.first; i < end; i += tile_height(i, rows.end)) {
      const double* const packed = left.data() + (i - rows.first) * of.length;
      double* const tile = &out[static_cast<size_t>(i * m + j)];
      if (tile_height(i, rows.end) == tile_rows)
        add_tile<tile_rows>(packed, right.data(), of.length, tile, m, columns);
      else
        add_tile<1>(packed, right.data(), of.length, tile, m, columns);
    }
  }
}

/// All tiles, or those that hold an element with j >= i.
template <class A, class B>
void each_pair(const Rows<A>& a, const Rows<B>& b, std::span<double> out, Part part) {
  check(a, b, out.size());
  std::fill(out.begin(), out.end(), 0.0);
  std::vector<double> left(static_cast<size_t>(strip * block)),
      right(static_cast<size_t>(strip * tile_columns));
  for (int64_t first = 0; first < a.count(); first += block) {
    const Block rows{first, std::min(first + block, a.count())};
    for (int64_t k = 0; k < a.depth; k += strip)
      add_block(a, b, rows, {k, std::min(strip, a.depth - k)}, part, left, right, out);
  }
}

template <class A>
void symmetric_products(std::span<const A> a, int64_t depth, std::span<double> out) {
  const Rows<A> rows{a, depth};
  each_pair(rows, rows, out, Part::from_the_diagonal);
  const int64_t n = rows.count();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) out[static_cast<size_t>(i * n + j)] = out[static_cast<size_t>(j * n + i)];
  }
}

}  // namespace

template <class A, class B>
void row_products(std::span<const A> a, std::span<const B> b, int64_t depth, std::span<double> out) {
  each_pair(Rows<A>{a, depth}, Rows<B>{b, depth}, out, Part::all);
}

template void row_products(std::span<const float>, std::span<const float>, int64_t, std::span<double>);
template void row_products(std::span<const double>, std::span<const double>, int64_t, std::span<double>);

void symmetric_row_products(std::span<const float> a, int64_t depth, std::span<double> out) {
  symmetric_products(a, depth, out);
}

void symmetric_row_products(std::span<const double> a, int64_t depth, std::span<double> out) {
  symmetric_products(a, depth, out);
}

}  // namespace ebm
