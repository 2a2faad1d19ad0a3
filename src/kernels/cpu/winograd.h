// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cpu/convolution_piece.h"
#include "kernels/cpu/products.h"
#include "kernels/cpu/threads.h"

namespace ebm::cpu {

/// Convolutions with kernel 4 x 4, stride 2 and padding 1, which oneDNN's Winograd does not know. Such a
/// convolution is a sum over the four parities (p, q) of convolutions with kernel 2 x 2 and stride 1,
///
///   x_pq[i, j] = x[2 i + p - 1, 2 j + q - 1],   w_pq[k, l] = w[2 k + p, 2 l + q],   y = sum of x_pq * w_pq,
///
/// and Winograd's F(4, 2) (winograd_transforms.h) makes tiles of 4 x 4 outputs with 25/64 of the
/// multiplications. The sum over channels and parities is done before the outputs are transformed back: for
/// each of the 25 points
///
///   forward          m[tile, o] = v[tile, pqc] . u[pqc, o],   v, u = transforms of x_pq, w_pq;  y of m
///   backward_data    v[tile, pqc] = m[tile, o] . u[o, pqc],   m = transform of y_bar;  x_bar of v
///   backward_weight  u[o, pqc] = m[tile, o]^T . v[tile, pqc];  w_bar of u
///
/// The bits of a result do not depend on the number of threads.
class WinogradConvolution {
 public:
  WinogradConvolution(Threads& threads, Products& products) : threads_(threads), products_(products) {}

  static bool suits(const ConvolutionShape& shape);
  /// What run() needs for u, v and m.
  static size_t workspace_bytes(const ConvolutionShape& shape);
  /// The pass computes y, x or weight, one of these.
  void run(Pass pass, const ConvolutionShape& shape, float* x, float* weight, float* y, Write mode,
           float* workspace);

 private:
  Threads& threads_;
  Products& products_;
};

}  // namespace ebm::cpu
