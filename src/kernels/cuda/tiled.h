// SPDX-License-Identifier: MIT
// Products and convolutions in tiles of the project's own choosing, on NHWC images as they lie: kernels of CUTLASS
// (cutlass/), in float32 by three TF32 products with staged sums (Precision::tf32x3) or in true float32. A build
// without CUTLASS's headers has none (no_cutlass/), the emulated GPU has stand-ins.
#pragma once

#include <cuda_runtime_api.h>

#include <span>
#include <vector>

#include "kernels/cuda/context.h"
#include "kernels/kernels.h"
#include "kernels/tiles.h"

namespace ebm::cuda {

/// What a kernel is given: the arrays of a pass, all float32 at multiples of 16 bytes.
struct TiledCall {
  cudaStream_t stream;
  void* workspace;
  int64_t split;  ///< into so many parts is each sum cut, which are added in order
};

/// A convolution's kernel.
struct TiledConvolution {
  ConvolutionPass pass;
  Precision precision;  ///< tf32x3 or full
  Tile tile;
  /// Bytes of workspace; below 0: it cannot. All want channels to be multiples of 4, but for those of the results of
  /// narrow tiles.
  int64_t (*workspace_bytes)(const ConvolutionShape&, int64_t split);
  /// Queues the pass. Throws Error.
  void (*run)(const TiledCall&, const ConvolutionShape&, float* x, float* weight, float* y);
};

/// A product's kernel, of a as it is stored: m, n and inner multiples of 4.
struct TiledProduct {
  Transpose transpose_b;
  Tile tile;
  int64_t (*workspace_bytes)(const Gemm&, int64_t split);
  void (*run)(const TiledCall&, const Gemm&);
};

/// All that there are; none in a build without CUTLASS.
std::span<const TiledConvolution> tiled_convolutions();
std::span<const TiledProduct> tiled_products();

/// Why there are none and what to do, in one line; null if there are some.
const char* why_no_tiles();

/// Kernels as they are chosen: in what order they are tried, and without a trial the first of them.
template <class Kernel>
struct TiledWay {
  const Kernel* kernel;
  int64_t split;
  int64_t workspace_bytes;
};

/// Ways to a pass in that precision (tf32x3 or full) on arrays of that alignment in bytes and within so much
/// workspace, those first that keep a GPU's multiprocessors least busy (kernels/tiles.h); empty if there is none.
std::vector<TiledWay<TiledConvolution>> ways_to(ConvolutionPass pass, const ConvolutionShape& shape,
                                                Precision precision, int64_t alignment, int64_t max_workspace,
                                                const Context& context);
/// Likewise to a product of float32 in Precision::tf32x3.
std::vector<TiledWay<TiledProduct>> ways_to(const Gemm& product, int64_t max_workspace,
                                            const Context& context);

/// Throws Error, one line with a remedy, where Precision::tf32x3 cannot be had: the build has no kernels for it, or
/// the GPU (compute capability 8.0 and later can) does not run them.
void require_tf32x3(const Context& context);

}  // namespace ebm::cuda
