// SPDX-License-Identifier: MIT
// Conv2d: y = x * W + b with zero padding (affine.h has the maps). W is OHWI in memory, and OIHW in files, as
// PyTorch has it.
#pragma once

#include "layers/affine.h"

namespace ebm {

/// The kernel of a convolution and how it moves.
struct Window {
  Extent kernel;
  Extent stride{1, 1};
  Extent padding{0, 0};
  Extent output_padding{0, 0};  ///< of a transposed one: rows and columns that y has more
};

class Convolution final : public AffineLayer {
 public:
  /// Starts as PyTorch does: W and b from U(-1/sqrt(n), 1/sqrt(n)), n = channels * kernel. Throws Error if
  /// the kernel does not fit into the padded image.
  Convolution(const Features& input, int64_t channels, const Window& window, Activation activation = {},
              WeightNorm weight_norm = WeightNorm::none, Bias bias = Bias::yes);

  void declare(Parameters& parameters, const std::string& prefix) override;

 protected:
  void apply(Trace& trace, ConstView x, View y) const override;
  void apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const override;
  void add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const override;

 private:
  Window window_;
  Bias has_bias_;
};

/// The shape of a convolution of `rows` images, as the kernels want it.
ConvolutionShape convolution_shape(int64_t rows, const Features& input, int64_t channels,
                                   const Window& window);

}  // namespace ebm
