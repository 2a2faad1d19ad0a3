// SPDX-License-Identifier: MIT
// Two inputs, of which one first goes through a layer of its own: rows [x | z] give
//   y = head([trunk(x) | z])
// Each map is that of the chain: with t = trunk(x),
//   jvp          y_dot = J_head [J_trunk x_dot | z_dot]
//   vjp          [t_bar | z_bar] = J_head^T y_bar,  x_bar = J_trunk^T t_bar
//   vjp_of_jvp   the two layers' own, one after the other; z's cotangents come from the head alone
// Images are flat in the rows, in the order of memory: pixels, then channels.
#pragma once

#include "layers/sequential.h"

namespace ebm {

class JoinedInputs final : public Layer {
 public:
  /// The names are those of the parameters, "trunk" and "head" in what follows. The head takes the trunk's
  /// outputs and z, flat. Throws Error if it takes no more than the trunk gives.
  JoinedInputs(Sequential::Child trunk, Sequential::Child head);

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics statistics) const override;
  bool couples_samples(Statistics statistics) const override;
  Narrowest narrowest(const std::string& name) const override;
  bool keeps_output() const override { return head_.layer->keeps_output(); }
  std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                    std::shared_ptr<Scratch> scratch) const override;

 protected:
  void do_forward(Trace& trace, View y) const override;
  void do_jvp(Trace& trace, View y_dot) const override;
  void do_forward_jvp(Trace& trace, Pair y) const override;
  void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const override;
  void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const override;
  void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                     Gradient gradient) const override;

 private:
  int64_t trunk_inputs() const { return trunk_.layer->input().size(); }
  int64_t trunk_outputs() const { return trunk_.layer->output().size(); }
  void take_trunk_inputs(Trace& trace, ConstView x, View to) const;
  void join_head_inputs(Trace& trace, ConstView t, ConstView x, View to) const;
  void take_trunk_cotangents(Trace& trace, ConstView joined_bar, View t_bar) const;
  void join_cotangents(Trace& trace, ConstView part, ConstView joined_bar, View x_bar) const;

  Sequential::Child trunk_, head_;
};

}  // namespace ebm
