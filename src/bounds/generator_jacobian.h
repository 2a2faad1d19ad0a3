// SPDX-License-Identifier: MIT
#pragma once

#include "layers/network.h"
#include "linalg/linear_operator.h"

namespace ebm {

/// J_b = dG/dz at the points z_b where the generator was last linearised, with batch norm on its running
/// statistics, so that each sample has a Jacobian of its own. All products with J run in true float32.
class GeneratorJacobian final : public LinearOperator {
 public:
  /// `tangents`: the most vectors a sample that one apply() takes. Throws Error if `precision` is none that is as
  /// exact as float32.
  GeneratorJacobian(Kernels& kernels, Network& generator, int64_t batch, int64_t tangents,
                    Precision precision = Precision::full, Precision weight_gradients = Precision::full);

  /// From now on J is taken at z (B x d). G is evaluated there with the first product: layers then take
  /// values and tangents in one call.
  void linearize(ConstView z);

  /// The gradient of sum_b <u_bar[t, b], J_b v[t, b]> after apply(v): with respect to z (B x d, empty: not
  /// wanted) and the parameters. If z_depends() is false the gradient with respect to z is zero and must not
  /// be asked for.
  void gradient(ConstView u_bar, View z_bar, Gradient gradient);
  /// The gradient of sum_b <u_bar_b, J_b v_b> with respect to the parameters after apply() of all unit
  /// vectors (tangents() = d), in one backward pass and no JVP at v. Only if !z_depends().
  void gradient_of_columns(ConstView v, ConstView u_bar, Gradient gradient);
  /// log_det = log |det J| of each sample (batch numbers), and the gradient of <log_det_bar, log_det> with respect to z
  /// (empty: not wanted) and the parameters; of a generator that knows it (Network::has_log_det).
  void log_det(View log_det);
  void log_det_gradient(ConstView log_det_bar, View z_bar, Gradient gradient);
  /// False if J is piecewise constant in z (no curved layer in G).
  bool z_depends() const { return !generator_.piecewise_linear(Statistics::running); }

  int64_t batch() const override { return batch_; }
  int64_t domain() const override { return generator_.input().size(); }
  int64_t range() const override { return generator_.output().size(); }
  int64_t max_tangents() const override { return tangents_; }

 protected:
  void do_apply(ConstView v, View jv) override;
  void do_apply_adjoint(ConstView u, View jtu) override;

 private:
  Kernels& kernels_;
  Network& generator_;
  int64_t batch_, tangents_;
  std::unique_ptr<Trace> trace_;
  Tensor samples_;  // G(z) under running statistics
  ConstView z_;     // where G has not been evaluated yet
};

}  // namespace ebm
