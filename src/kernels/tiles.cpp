// SPDX-License-Identifier: MIT
#include "kernels/tiles.h"

namespace ebm {

namespace {

int64_t parts(int64_t extent, int64_t part) {
  return (extent + part - 1) / part;
}

}  // namespace

ProductSize product_size(const Gemm& product) {
  return {product.m, product.n, product.inner};
}

ProductSize product_size(ConvolutionPass pass, const ConvolutionShape& s) {
  const int64_t taps = s.kernel.height * s.kernel.width, pixels = s.rows * s.output().pixels();
  const int64_t same_taps = s.stride.height * s.stride.width;
  switch (pass) {
    case ConvolutionPass::forward:
      return {pixels, s.output_channels, taps * s.input.channels};
    case ConvolutionPass::backward_data:
      return {.rows = parts(s.rows * s.input.pixels(), same_taps),
              .columns = s.input.channels,
              .inner = parts(taps, same_taps) * s.output_channels,
              .count = same_taps};
    case ConvolutionPass::backward_weight:
      break;
  }
  return {s.output_channels, taps * s.input.channels, pixels};
}

std::string to_string(const Tile& t) {
  return std::to_string(t.rows) + "x" + std::to_string(t.columns) + "x" + std::to_string(t.depth) +
         ", warps " + std::to_string(t.warp_rows) + "x" + std::to_string(t.warp_columns) + ", " +
         std::to_string(t.stages) + " stages";
}

double busiest_flop(const ProductSize& size, const Tile& tile, int64_t split, int64_t processors) {
  const int64_t tiles = size.count * parts(size.rows, tile.rows) * parts(size.columns, tile.columns) * split;
  const ProductSize each{tile.rows, tile.columns, parts(size.inner, split)};
  return static_cast<double>(parts(tiles, processors)) * each.flop();
}

}  // namespace ebm
