// SPDX-License-Identifier: MIT
// Linear: y = W x + b, W out x in (affine.h has the maps).
//
// Its inputs or outputs may be images: then it is PyTorch's Linear behind a Flatten, or before a reshape to
// an image. In memory those two move nothing, so there is no layer for them; but PyTorch numbers the features
// of an image with the channels first, and W is saved in that order (core/channels_last.h).
#pragma once

#include "layers/affine.h"

namespace ebm {

class Linear final : public AffineLayer {
 public:
  /// Starts as PyTorch does: W and b from U(-1/sqrt(in), 1/sqrt(in)).
  Linear(const Features& in, const Features& out, Bias bias = Bias::yes, Activation activation = {},
         WeightNorm weight_norm = WeightNorm::none);
  Linear(int64_t in, int64_t out, Bias bias = Bias::yes) : Linear(flat(in), flat(out), bias) {}

  void declare(Parameters& parameters, const std::string& prefix) override;

 protected:
  void apply(Trace& trace, ConstView x, View y) const override;
  void apply_with_bias(Trace& trace, ConstView x, View y, const AddBias& then) const override;
  void apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const override;
  void add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const override;

 private:
  Gemm product(const Trace& trace, ConstView x, View y) const;

  Bias has_bias_;
};

}  // namespace ebm
