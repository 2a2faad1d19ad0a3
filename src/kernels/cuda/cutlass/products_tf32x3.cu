// SPDX-License-Identifier: MIT
// a b and a b^T by CUTLASS's GEMM (include/cutlass/gemm/device/gemm.h), as cutlass/implicit_gemm.cuh has convolutions.
#include <cutlass/gemm/device/gemm.h>

#include "kernels/cuda/cutlass/families.h"
#include "kernels/cuda/cutlass/tiled_kernel.cuh"

namespace ebm::cuda {

namespace {

template <Transpose transpose_b, class Shape>
struct Product {
  using Row = cutlass::layout::RowMajor;
  using LayoutB = std::conditional_t<transpose_b == Transpose::yes, cutlass::layout::ColumnMajor, Row>;
  static constexpr int aligned = 4;  // elements: 16 bytes
  static constexpr bool split_in_order = true;
  using Operation = cutlass::gemm::device::Gemm<
      float, Row, float, LayoutB, float, Row, float, cutlass::arch::OpClassTensorOp, cutlass::arch::Sm80,
      typename Shape::Block, typename Shape::Warp, cutlass::gemm::GemmShape<16, 8, 8>,
      cutlass::epilogue::thread::LinearCombination<float, aligned, float, float>,
      cutlass::gemm::threadblock::GemmIdentityThreadblockSwizzle<4>, Shape::stages, aligned, aligned,
      split_in_order, cutlass::arch::OpMultiplyAddFastF32>;
  using Kernel = typename Operation::GemmKernel;
};

/// The host's side of it.
template <Transpose transpose_b, class Shape>
struct TiledGemm {
  using Way = Product<transpose_b, Shape>;
  using Arguments = typename Way::Operation::Arguments;

  static Arguments arguments(const Gemm& g, int64_t split) {
    const auto i = [](int64_t size) { return static_cast<int>(size); };
    auto* const c = static_cast<float*>(g.c.address);
    return {{i(g.m), i(g.n), i(g.inner)},
            {static_cast<const float*>(g.a.address), i(g.inner)},
            {static_cast<const float*>(g.b.address), i(transpose_b == Transpose::yes ? g.inner : g.n)},
            {c, i(g.n)},
            {c, i(g.n)},
            {g.alpha, g.beta},
            i(split)};
  }
  static int64_t workspace_bytes(const Gemm& g, int64_t split) {
    const Arguments asked = arguments(g, split);
    if (Way::Operation::can_implement(asked) != cutlass::Status::kSuccess) return -1;
    return static_cast<int64_t>(Way::Operation::get_workspace_size(asked));
  }
  static void run(const TiledCall& call, const Gemm& g) {
    const Arguments given = arguments(g, call.split);
    const auto tiles = typename Way::Kernel::ThreadblockSwizzle().get_tiled_shape(
        given.problem_size, {Shape::Block::kM, Shape::Block::kN, Shape::Block::kK}, given.split_k_slices);
    launch_tiles<Way>(
        call, workspace_bytes(g, call.split),
        {given.problem_size, tiles, given.ref_A.non_const_ref(), given.ref_B.non_const_ref(),
         given.ref_C.non_const_ref(), given.ref_D, given.epilogue, static_cast<int*>(call.workspace)},
        "a product of " + to_string(g));
  }
  static constexpr TiledProduct kernel{
      .transpose_b = transpose_b, .tile = Shape::tile, .workspace_bytes = workspace_bytes, .run = run};
};

}  // namespace

std::span<const TiledProduct> products_tf32x3() {
  static constexpr TiledProduct kernels[] = {
      TiledGemm<Transpose::no, TileShape<128, 64, 16, 64, 32, 4>>::kernel,
      TiledGemm<Transpose::no, TileShape<64, 64, 32, 32, 32, 3>>::kernel,
      TiledGemm<Transpose::yes, TileShape<128, 64, 16, 64, 32, 4>>::kernel,
      TiledGemm<Transpose::yes, TileShape<64, 64, 32, 32, 32, 3>>::kernel,
  };
  return kernels;
}

}  // namespace ebm::cuda
