// SPDX-License-Identifier: MIT
// Sequential: y = f_L(... f_1(x)), each map by the chain rule. Itself a layer, so that networks nest.
#pragma once

#include <vector>

#include "layers/layer.h"

namespace ebm {

class Sequential final : public Layer {
 public:
  struct Child {
    std::string name;  ///< "0", "1", ... as PyTorch counts, a name such as "main", or none: it adds no prefix
    std::unique_ptr<Layer> layer;
  };
  /// Throws Error if there is no child or if two neighbours' shapes do not fit.
  explicit Sequential(std::vector<Child> children);

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics statistics) const override;
  bool couples_samples(Statistics statistics) const override;
  Narrowest narrowest(const std::string& name) const override;
  bool has_log_det() const override;
  bool keeps_output() const override { return children_.back().layer->keeps_output(); }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_forward_jvp(Trace& trace, Pair y) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_add_log_det(Trace& trace, float* log_det) const override;
  void do_vjp_log_det(Trace& trace, ConstView y_bar, const float* log_det_bar, View x_bar,
                      Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  size_t size() const { return children_.size(); }
  const Layer& layer(size_t i) const { return *children_[i].layer; }

  std::vector<Child> children_;
};

/// Children named "0", "1", ... as PyTorch's Sequential names them.
std::unique_ptr<Sequential> sequential(std::vector<std::unique_ptr<Layer>> layers);

}  // namespace ebm
