// SPDX-License-Identifier: MIT
// Branches: y = [f_1(x) | f_2(x) | ...], side by side in the channels (kernels/formulas/branches.h).
//
// Where a branch ends with an affine layer, this layer adds its bias and applies an activation, in the pass
// that brings the branches together. Average pooling may stand behind that affine layer: it leaves a constant
// as it is.
#pragma once

#include <vector>

#include "layers/affine.h"
#include "layers/forward_only.h"

namespace ebm {

class Branches final : public ForwardOnly {
 public:
  struct Branch {
    std::unique_ptr<Layer> layer;
    AffineLayer* last =
        nullptr;              ///< within `layer`, with a bias for each channel; null: y is layer(x) as it is
    Activation activation{};  ///< behind the bias of `last`
  };
  static constexpr size_t most = 4;

  /// Throws Error unless there are 1 to 4 branches, from images of one shape to images of one size. The names
  /// of their parameters get no prefix of their own.
  explicit Branches(std::vector<Branch> branches);

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool couples_samples(Statistics statistics) const override;
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  void do_forward(Trace& trace, View y) const override;

 private:
  std::vector<Branch> branches_;
};

}  // namespace ebm
