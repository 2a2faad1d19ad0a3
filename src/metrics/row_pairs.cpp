// SPDX-License-Identifier: MIT
#include "metrics/row_pairs.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"

namespace ebm {

namespace {

// A tile of the result stays in registers while its sums go over k: tile_rows x tile_columns of float64.
// Columns are packed, `strip` of k at a time, so that those of one k lie side by side.
constexpr int64_t tile_rows = 6, tile_columns = 8, strip = 256;
// Columns that one instruction of AVX2 computes; g++ makes two of it where there is less.
using Lanes = double __attribute__((vector_size(32)));
constexpr int64_t groups = tile_columns * sizeof(double) / sizeof(Lanes);

struct Product {
  static Lanes term(Lanes a, Lanes b) { return a * b; }
};
struct SquaredDifference {
  static Lanes term(Lanes a, Lanes b) { return (a - b) * (a - b); }
};

/// Rows of a matrix, depth numbers each.
template <class T>
struct Rows {
  std::span<const T> values;
  int64_t depth;

  [[nodiscard]] int64_t count() const { return static_cast<int64_t>(values.size()) / depth; }
  [[nodiscard]] const T* row(int64_t i) const { return values.data() + i * depth; }
};

/// The numbers from_k ... from_k + length of up to tile_columns rows of b, transposed: (length,
/// tile_columns), zeros where there are no more rows.
template <class B>
void pack(const Rows<B>& b, int64_t first, int64_t from_k, int64_t length, std::vector<double>& packed) {
  const int64_t columns = std::min(tile_columns, b.count() - first);
  std::fill(packed.begin(), packed.end(), 0.0);
  for (int64_t c = 0; c < columns; ++c) {
    const B* source = b.row(first + c) + from_k;
    for (int64_t k = 0; k < length; ++k) packed[static_cast<size_t>(k * tile_columns + c)] = source[k];
  }
}

/// Adds the terms of `length` k to `height` rows of a tile: out(r, c), c < columns, in rows of out_stride
/// numbers, from a(r, k) in rows of a_stride.
template <class Term, int64_t height, class A>
void add_tile(const A* a, int64_t a_stride, const double* packed, int64_t length, double* out,
              int64_t out_stride, int64_t columns) {
  Lanes sums[height][groups] = {};
  double edge[tile_columns] = {};  // a row of the tile, whole where out has fewer columns
  for (int64_t r = 0; r < height; ++r) {
    std::copy_n(out + r * out_stride, columns, edge);
    std::memcpy(sums[r], edge, sizeof edge);
  }
  for (int64_t k = 0; k < length; ++k) {
    Lanes b[groups];
    std::memcpy(b, packed + k * tile_columns, sizeof b);
#pragma GCC unroll 8
    for (int64_t r = 0; r < height; ++r) {
      const Lanes x = Lanes{} + static_cast<double>(a[r * a_stride + k]);
#pragma GCC unroll 8
      for (int64_t g = 0; g < groups; ++g) sums[r][g] += Term::term(x, b[g]);
    }
  }
  for (int64_t r = 0; r < height; ++r) {
    std::memcpy(edge, sums[r], sizeof edge);
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

/// All tiles, or those that hold an element with j >= i.
template <class Term, class A, class B>
void each_pair(const Rows<A>& a, const Rows<B>& b, std::span<double> out, Part part) {
  check(a, b, out.size());
  std::fill(out.begin(), out.end(), 0.0);
  const int64_t n = a.count(), m = b.count();
  std::vector<double> packed(static_cast<size_t>(strip * tile_columns));
  for (int64_t j = 0; j < m; j += tile_columns) {
    const int64_t columns = std::min(tile_columns, m - j);
    const int64_t rows = part == Part::all ? n : std::min(n, j + columns);
    for (int64_t k = 0; k < a.depth; k += strip) {
      const int64_t length = std::min(strip, a.depth - k);
      pack(b, j, k, length, packed);
      int64_t i = 0;
      for (; i + tile_rows <= rows; i += tile_rows) {
        add_tile<Term, tile_rows>(a.row(i) + k, a.depth, packed.data(), length,
                                  &out[static_cast<size_t>(i * m + j)], m, columns);
      }
      for (; i < rows; ++i) {
        add_tile<Term, 1>(a.row(i) + k, a.depth, packed.data(), length, &out[static_cast<size_t>(i * m + j)],
                          m, columns);
      }
    }
  }
}

template <class A>
void symmetric_products(std::span<const A> a, int64_t depth, std::span<double> out) {
  const Rows<A> rows{a, depth};
  each_pair<Product>(rows, rows, out, Part::from_the_diagonal);
  const int64_t n = rows.count();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) out[static_cast<size_t>(i * n + j)] = out[static_cast<size_t>(j * n + i)];
  }
}

}  // namespace

template <class A, class B>
void row_products(std::span<const A> a, std::span<const B> b, int64_t depth, std::span<double> out) {
  each_pair<Product>(Rows<A>{a, depth}, Rows<B>{b, depth}, out, Part::all);
}

template <class A, class B>
void row_squared_distances(std::span<const A> a, std::span<const B> b, int64_t depth, std::span<double> out) {
  each_pair<SquaredDifference>(Rows<A>{a, depth}, Rows<B>{b, depth}, out, Part::all);
}

template void row_products(std::span<const float>, std::span<const float>, int64_t, std::span<double>);
template void row_products(std::span<const double>, std::span<const double>, int64_t, std::span<double>);
template void row_squared_distances(std::span<const float>, std::span<const double>, int64_t,
                                    std::span<double>);

void symmetric_row_products(std::span<const float> a, int64_t depth, std::span<double> out) {
  symmetric_products(a, depth, out);
}

void symmetric_row_products(std::span<const double> a, int64_t depth, std::span<double> out) {
  symmetric_products(a, depth, out);
}

}  // namespace ebm
