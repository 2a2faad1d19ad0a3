// SPDX-License-Identifier: MIT
// ConvTranspose2d: y = A^T x + b, where A is the convolution by W that takes images like y to images like x
// (affine.h has the maps). W is that convolution's weight: OHWI in memory with O the channels of x and I
// those of y, and IOHW in files, which is PyTorch's word for the same axes.
#pragma once

#include "layers/convolution.h"

namespace ebm {

class TransposedConvolution final : public AffineLayer {
 public:
  /// y has (side of x - 1) stride - 2 padding + kernel + output_padding pixels a side. Starts as PyTorch does: W and b from
  /// U(-1/sqrt(n), 1/sqrt(n)), n = channels * kernel. Throws Error if nothing would be left of y,
  /// and for an output_padding that is no less than the stride.
  TransposedConvolution(const Features& input, int64_t channels, const Window& window,
                        Activation activation = {}, Bias bias = Bias::yes);

  void declare(Parameters& parameters, const std::string& prefix) override;

 protected:
  void apply(Trace& trace, ConstView x, View y) const override;
  void apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const override;
  void add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const override;

 private:
  /// The convolution that this one transposes, from `rows` images like y.
  ConvolutionShape transposed(int64_t rows) const {
    return convolution_shape(rows, output(), input().channels, window_);
  }

  Window window_;
  Bias has_bias_;
};

}  // namespace ebm
