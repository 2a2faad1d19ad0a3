// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cpu/convolution_piece.h"
#include "kernels/cpu/products.h"
#include "kernels/cpu/threads.h"

namespace ebm::cpu {

/// Convolutions with stride 1 between many channels and few, as the first and the last of a network for
/// pictures are. oneDNN pads three channels to sixteen in some passes; these are products here:
///
///   forward          p[i, j; o, k, l] = x[i, j] . w[o, k, l]
///                    y[i, j, o] = sum over k, l of p at (i + k, j + l)
///   backward_data    p[i, j; k, l, c] = y_bar[i, j] . w[k, l, c],  x_bar in the same way
///   backward_weight  w_bar[o, k, l] = sum over pixels of q[i, j; o, k, l] x[i, j],  q = y_bar at (i - k, j - l)
///
/// (padding left out). The bits of a result do not depend on the number of threads.
class NarrowConvolution {
 public:
  NarrowConvolution(Threads& threads, Products& products) : threads_(threads), products_(products) {}

  static bool suits(Pass pass, const ConvolutionShape& shape);
  /// What run() needs for p or q.
  static size_t workspace_bytes(Pass pass, const ConvolutionShape& shape);
  /// The pass computes y, x or weight, one of these.
  void run(Pass pass, const ConvolutionShape& shape, float* x, float* weight, float* y, Write mode,
           float* workspace);

 private:
  template <class F>
  void for_images(const ConvolutionShape& shape, const F& f);

  Threads& threads_;
  Products& products_;
};

}  // namespace ebm::cpu
