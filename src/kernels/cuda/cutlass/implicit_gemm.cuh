// SPDX-License-Identifier: MIT
// Convolutions by CUTLASS's implicit GEMM kernels (include/cutlass/conv), a family a file: each includes this.
// https://github.com/NVIDIA/cutlass, BSD-3-Clause.
#pragma once

#include <cutlass/cutlass.h>
// The kernels before the device's side, which relies on what they include.
#include <cutlass/conv/kernel/default_conv2d_dgrad.h>
#include <cutlass/conv/kernel/default_conv2d_fprop.h>
// clang-format keeps this apart.
#include <cutlass/conv/device/implicit_gemm_convolution.h>

#include "kernels/cuda/cutlass/tiled_kernel.cuh"

namespace ebm::cuda {

/// float32 by three TF32 products on tensor cores, whose sums go to float32's registers after each tile's depth.
struct SplitTf32 {
  using Class = cutlass::arch::OpClassTensorOp;
  using Instruction = cutlass::gemm::GemmShape<16, 8, 8>;
  using Math = cutlass::arch::OpMultiplyAddFastF32;
  using Store = cutlass::epilogue::thread::LinearCombination<float, 4, float, float>;
  static constexpr Precision precision = Precision::tf32x3;
};

/// The same with results of any number of channels, stored one by one.
struct SplitTf32Narrow : SplitTf32 {
  using Store = cutlass::epilogue::thread::LinearCombination<float, 1, float, float>;
};

/// True float32 on the float32 units.
struct Float32 {
  using Class = cutlass::arch::OpClassSimt;
  using Instruction = cutlass::gemm::GemmShape<1, 1, 1>;
  using Math = cutlass::arch::OpMultiplyAdd;
  using Store = cutlass::epilogue::thread::LinearCombination<float, 1, float, float>;
  static constexpr Precision precision = Precision::full;
};

template <class Arithmetic, class Shape>
struct Forward {
  using Layout = cutlass::layout::TensorNHWC;
  using Kernel = typename cutlass::conv::kernel::DefaultConv2dFprop<
      float, Layout, float, Layout, float, Layout, float, typename Arithmetic::Class, cutlass::arch::Sm80,
      typename Shape::Block, typename Shape::Warp, typename Arithmetic::Instruction,
      typename Arithmetic::Store, cutlass::gemm::threadblock::GemmIdentityThreadblockSwizzle<4>,
      Shape::stages, typename Arithmetic::Math, cutlass::conv::IteratorAlgorithm::kOptimized>::Kernel;
  static constexpr ConvolutionPass pass = ConvolutionPass::forward;
};

/// To the data, of any stride: the pixels of x that the same taps reach are a product of their own.
template <class Arithmetic, class Shape>
struct BackwardData {
  using Layout = cutlass::layout::TensorNHWC;
  using Kernel = typename cutlass::conv::kernel::DefaultConv2dDgrad<
      float, Layout, float, Layout, float, Layout, float, typename Arithmetic::Class, cutlass::arch::Sm80,
      typename Shape::Block, typename Shape::Warp, typename Arithmetic::Instruction,
      typename Arithmetic::Store, cutlass::conv::threadblock::StridedDgradIdentityThreadblockSwizzle<>,
      Shape::stages, typename Arithmetic::Math, cutlass::conv::IteratorAlgorithm::kOptimized,
      cutlass::conv::StrideSupport::kStrided>::Kernel;
  static constexpr ConvolutionPass pass = ConvolutionPass::backward_data;
};

/// The host's side of it.
template <template <class, class> class Pass, class Arithmetic, class Shape>
struct ImplicitGemm {
  using Way = Pass<Arithmetic, Shape>;
  using Operation = cutlass::conv::device::ImplicitGemmConvolution<typename Way::Kernel>;
  using Arguments = typename Operation::Arguments;
  using Layout = cutlass::layout::TensorNHWC;
  static constexpr bool forward = Way::pass == ConvolutionPass::forward;

  static Arguments arguments(const ConvolutionShape& s, int64_t split, float* x, float* weight, float* y) {
    const auto i = [](int64_t size) { return static_cast<int>(size); };
    const Features out = s.output();
    const cutlass::Tensor4DCoord x_size(i(s.rows), i(s.input.height), i(s.input.width), i(s.input.channels)),
        w_size(i(s.output_channels), i(s.kernel.height), i(s.kernel.width), i(s.input.channels)),
        y_size(i(s.rows), i(out.height), i(out.width), i(out.channels));
    const cutlass::conv::Conv2dProblemSize problem(
        x_size, w_size, {i(s.padding.height), i(s.padding.height), i(s.padding.width), i(s.padding.width)},
        {i(s.stride.height), i(s.stride.width)}, {1, 1}, y_size, cutlass::conv::Mode::kCrossCorrelation,
        i(split), 1);
    const cutlass::TensorRef<float, Layout> x_at{x, Layout::packed(x_size)}, y_at{y, Layout::packed(y_size)},
        w_at{weight, Layout::packed(w_size)};
    const auto& from = forward ? x_at : y_at;
    const auto& to = forward ? y_at : x_at;
    return {problem, from, w_at, to, to, {1.0f, 0.0f}, cutlass::conv::SplitKMode::kSerial};
  }

  static int64_t workspace_bytes(const ConvolutionShape& s, int64_t split) {
    const Arguments asked = arguments(s, split, nullptr, nullptr, nullptr);
    if (Operation::can_implement(asked) != cutlass::Status::kSuccess) return -1;
    return static_cast<int64_t>(Operation::get_workspace_size(asked));
  }

  static void run(const TiledCall& call, const ConvolutionShape& s, float* x, float* weight, float* y) {
    const Arguments given = arguments(s, call.split, x, weight, y);
    launch_tiles<Way>(call, workspace_bytes(s, call.split), {given, static_cast<int*>(call.workspace)},
                      to_string(s));
  }

  static constexpr TiledConvolution kernel{.pass = Way::pass,
                                           .precision = Arithmetic::precision,
                                           .tile = Shape::tile,
                                           .workspace_bytes = workspace_bytes,
                                           .run = run};
};

}  // namespace ebm::cuda
