// SPDX-License-Identifier: MIT
// A monotone coupling: rows x = [u | v] become
//   y = [f(v; net(u)) | u],
// f a straight line and K smooth steps in each feature of v, always rising (kernels/formulas/coupling.h). So y is a
// one-to-one function of x with a Jacobian of full rank, whatever the parameters; a few in turn bend each half of the
// features by the other (neural autoregressive flows: Huang et al. 2018, section 3).
#pragma once

#include "kernels/formulas/coupling.h"
#include "layers/sequential.h"

namespace ebm {

class MonotoneCoupling final : public Layer {
 public:
  /// u are the first D / 2 of `features` numbers. `net` must take u and give parameters() numbers; its name is that
  /// of its parameters. Throws Error for fewer than two features, images, and another net.
  MonotoneCoupling(const Features& features, int64_t steps, Sequential::Child net);

  /// How many features the net takes, and how many numbers f wants.
  static int64_t kept(int64_t features) { return features / 2; }
  static int64_t parameters(int64_t features, int64_t steps) {
    return (features - kept(features)) * (3 * steps + 2);
  }

  void declare(Parameters& parameters, const std::string& prefix) override;
  bool piecewise_linear(Statistics) const override { return false; }
  bool couples_samples(Statistics statistics) const override {
    return net_.layer->couples_samples(statistics);
  }
  bool has_log_det() const override { return true; }
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
  [[noreturn]] void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                                  Gradient gradient) const override;

 private:
  void take_kept(Trace& trace, ConstView x, View u) const;
  void move_values(Trace& trace, View y) const;
  void move_tangents(Trace& trace, View y_dot) const;
  void join_cotangents(Trace& trace, ConstView u_bar, ConstView v_bar, ConstView y_bar, View x_bar) const;

  CouplingSizes sizes_;
  Sequential::Child net_;
};

}  // namespace ebm
