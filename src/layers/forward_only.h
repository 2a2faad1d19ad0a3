// SPDX-License-Identifier: MIT
#pragma once

#include "layers/layer.h"

namespace ebm {

/// A layer of networks that are only evaluated, in float32: it has a forward map and no other.
class ForwardOnly : public Layer {
 public:
  using Layer::Layer;
  bool piecewise_linear(Statistics) const final { return false; }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override {
    check_options(options);
    return Layer::make_trace(kernels, options, std::move(scratch));
  }

 protected:
  /// Throws Error for a trace with other numbers.
  static void check_options(const TraceOptions& options) {
    if (options.type() != Type::float32)
      throw Error("this layer computes with float32 alone; ask for another precision than bfloat16");
  }
  void do_jvp(Trace&, View) const final { no_derivative(); }
  void do_vjp(Trace&, ConstView, View, Gradient) const final { no_derivative(); }
  void do_vjp_of_jvp(Trace&, ConstPair, Pair, Gradient) const final { no_derivative(); }
  void do_vjp_shared(Trace&, ConstView, const SharedWeights&, View, Gradient) const final { no_derivative(); }

 private:
  [[noreturn]] static void no_derivative() {
    throw Error("this layer has no derivatives; its network can only be evaluated");
  }
};

}  // namespace ebm
