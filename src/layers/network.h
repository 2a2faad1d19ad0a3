// SPDX-License-Identifier: MIT
// A network: a layer with its parameters on a device. Counts its batch-passes, so that the cost of an
// iteration can be stated and tested.
#pragma once

#include "layers/bfloat16.h"
#include "layers/initial_values.h"
#include "layers/sequential.h"

namespace ebm {

/// Work done, in rows that went through the network: values or tangents forwards, cotangents backwards to the
/// input, and rows whose weight gradient was taken. Rows / B is the count of batch-passes of docs/method.md.
struct PassCounts {
  int64_t forward = 0;
  int64_t input_gradient = 0;
  int64_t weight_gradient = 0;
  int64_t total() const { return forward + input_gradient + weight_gradient; }
};

class Network {
 public:
  /// Declares and allocates the parameters; initialize() or a checkpoint gives them values.
  Network(Kernels& kernels, std::unique_ptr<Layer> root);

  const Features& input() const { return root_->input(); }
  const Features& output() const { return root_->output(); }
  bool piecewise_linear(Statistics statistics) const { return root_->piecewise_linear(statistics); }
  bool couples_samples(Statistics statistics) const { return root_->couples_samples(statistics); }
  bool has_log_det() const { return root_->has_log_det(); }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

  /// Draws the initial values from noise streams stream, stream + 1, ... of `seed`, one for each parameter
  /// that is random, and zeroes gradients.
  void initialize(uint64_t seed, uint32_t stream, Initial initial = Initial::pytorch);

  /// Of traces that are made from now on: batch statistics are those of all ranks' rows together, and whatever a map
  /// then does all ranks do at the same time.
  void share_statistics(Communicator* ranks) { ranks_ = ranks; }
  /// With Precision::bfloat16 the maps still take and give float32; round_parameters() must be called when
  /// values have changed.
  std::unique_ptr<Trace> make_trace(const TraceOptions& wanted);
  /// The parameters in bfloat16, for the traces that were made so; nothing if there is none.
  void round_parameters();

  /// The maps of Layer, counted.
  void forward(Trace& trace, ConstView x, View y);
  void jvp(Trace& trace, ConstView x_dot, View y_dot);
  void forward_jvp(Trace& trace, ConstPair x, Pair y);
  void vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient);
  void add_log_det(Trace& trace, float* log_det);
  void vjp_log_det(Trace& trace, ConstView y_bar, const float* log_det_bar, View x_bar, Gradient gradient);
  void vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient);
  void vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar, Gradient gradient);

  const PassCounts& passes() const { return passes_; }
  void reset_passes() { passes_ = {}; }

 private:
  const Layer& layer_for(const TraceOptions& options) const {
    return options.type() == Type::bfloat16 ? static_cast<const Layer&>(in_bfloat16_) : *root_;
  }

  Kernels& kernels_;
  Communicator* ranks_ = nullptr;
  std::unique_ptr<Layer> root_;
  InBfloat16 in_bfloat16_;
  Parameters parameters_;
  std::shared_ptr<Scratch> scratch_;
  PassCounts passes_;
};

}  // namespace ebm
