// SPDX-License-Identifier: MIT
// How products fall into tiles: counted by hand.
#include "kernels/tiles.h"

#include <gtest/gtest.h>

namespace ebm::test {
namespace {

constexpr ConvolutionShape shape{.rows = 3,
                                 .input = {.height = 8, .width = 6, .channels = 12},
                                 .output_channels = 20,
                                 .kernel = {4, 4},
                                 .stride = {2, 2},
                                 .padding = {1, 1}};

TEST(TilesTest, AConvolutionIsAProductOfPixelsByChannels) {
  for (const ConvolutionPass pass :
       {ConvolutionPass::forward, ConvolutionPass::backward_data, ConvolutionPass::backward_weight}) {
    EXPECT_DOUBLE_EQ(product_size(pass, shape).flop(), shape.flop());
  }
  const ProductSize forward = product_size(ConvolutionPass::forward, shape);
  EXPECT_EQ(forward.rows, 3 * 4 * 3);
  EXPECT_EQ(forward.columns, 20);
  EXPECT_EQ(forward.inner, 16 * 12);
  const ProductSize back = product_size(ConvolutionPass::backward_data, shape);
  EXPECT_EQ(back.count, 4) << "pixels of x by the taps that reach them";
  EXPECT_EQ(back.rows, 3 * 4 * 3);
  EXPECT_EQ(back.columns, 12);
  EXPECT_EQ(back.inner, 4 * 20);
  EXPECT_DOUBLE_EQ(product_size(Gemm{.m = 2, .n = 3, .inner = 5, .a = {}, .b = {}, .c = {}}).flop(), 60);
}

TEST(TilesTest, TheBusiestProcessorHasTheMostTiles) {
  const ProductSize size{.rows = 100, .columns = 70, .inner = 64};
  const Tile tile{.rows = 32, .columns = 32, .depth = 8};  // 4 x 3 of them
  const double each = 2 * 32 * 32 * 64;
  EXPECT_DOUBLE_EQ(busiest_flop(size, tile, 1, 1), 12 * each);
  EXPECT_DOUBLE_EQ(busiest_flop(size, tile, 1, 12), each);
  EXPECT_DOUBLE_EQ(busiest_flop(size, tile, 1, 1000), each) << "the others are idle";
  EXPECT_DOUBLE_EQ(busiest_flop(size, tile, 1, 11), 2 * each) << "one is left for a second turn";
  EXPECT_DOUBLE_EQ(busiest_flop(size, tile, 4, 24), 2 * each / 4) << "sums in four parts";
  EXPECT_DOUBLE_EQ(busiest_flop({.rows = 100, .columns = 70, .inner = 64, .count = 3}, tile, 1, 12),
                   3 * each);
}

}  // namespace
}  // namespace ebm::test
