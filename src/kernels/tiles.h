// SPDX-License-Identifier: MIT
// Matrix products that a GPU computes in tiles, one block of threads each: how many there are, and how long they
// keep its multiprocessors (SMs) busy. Both the choice of a kernel and the model of the time ask here.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/kernels.h"

namespace ebm {

/// A product of rows x inner by inner x columns, `count` of them.
struct ProductSize {
  int64_t rows = 0, columns = 0, inner = 0, count = 1;

  double flop() const {
    return 2.0 * static_cast<double>(count * rows) * static_cast<double>(columns * inner);
  }
};
ProductSize product_size(const Gemm& product);
/// A convolution's pass as a product: of pixels by channels. To the data, pixels that the same taps reach are a
/// product of their own: stride^2 of them, where the stride divides the kernel and the image.
ProductSize product_size(ConvolutionPass pass, const ConvolutionShape& shape);

/// A block's part of the result, the depth that it takes of the sums at once; its warps' parts, and how many tiles
/// of the factors are on their way from memory.
struct Tile {
  int64_t rows, columns, depth;
  int64_t warp_rows, warp_columns, stages;
};
/// "128x64x16, warps 64x32, 4 stages".
std::string to_string(const Tile& tile);

/// How often the busiest of `processors` SMs computes a tile's part of a product whose sums are cut into `split`
/// parts, in FLOP of float32: what is outside of the result is computed too.
double busiest_flop(const ProductSize& size, const Tile& tile, int64_t split, int64_t processors);

}  // namespace ebm
