// SPDX-License-Identifier: MIT
#include "layers/network.h"

#include <utility>

namespace ebm {

Network::Network(Kernels& kernels, std::unique_ptr<Layer> root)
    : kernels_(kernels),
      root_(std::move(root)),
      in_bfloat16_(*root_),
      scratch_(std::make_shared<Scratch>(kernels)) {
  root_->declare(parameters_, "");
  parameters_.allocate(kernels_);
}

void Network::initialize(uint64_t seed, uint32_t stream, Initial initial) {
  for (const auto* list : {&parameters_.trainable(), &parameters_.statistics()}) {
    for (const Parameter& p : *list) {
      const Initialization how = initialization(p, initial);
      const std::vector<float> values = initial_values(kernels_, p, how, seed, stream);
      if (is_random(how)) ++stream;
      kernels_.upload(p.value, values.data(), p.size * static_cast<int64_t>(sizeof(float)));
    }
  }
  const View gradients = parameters_.gradients();
  kernels_.zero(gradients.data, gradients.size() * static_cast<int64_t>(sizeof(float)));
}

std::unique_ptr<Trace> Network::make_trace(const TraceOptions& wanted) {
  TraceOptions options = wanted;
  if (ranks_ != nullptr) options.ranks = ranks_;
  if (options.type() == Type::bfloat16) parameters_.keep_rounded(kernels_);
  auto trace = layer_for(options).make_trace(kernels_, options, scratch_);
  scratch_->allocate();
  return trace;
}

void Network::round_parameters() {
  if (parameters_.rounded().address == nullptr) return;
  const View values = parameters_.values();
  kernels_.run(ToActivations{.columns = values.size(), .x = values.data, .y = parameters_.rounded()});
}

void Network::forward(Trace& trace, ConstView x, View y) {
  const Range range(kernels_, "forward");
  passes_.forward += x.rows;
  layer_for(trace.options).forward(trace, x, y);
}

void Network::jvp(Trace& trace, ConstView x_dot, View y_dot) {
  const Range range(kernels_, "jvp");
  passes_.forward += x_dot.rows;
  layer_for(trace.options).jvp(trace, x_dot, y_dot);
}

void Network::forward_jvp(Trace& trace, ConstPair x, Pair y) {
  const Range range(kernels_, "forward_jvp");
  passes_.forward += x.value.rows + x.tangent.rows;
  layer_for(trace.options).forward_jvp(trace, x, y);
}

void Network::vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) {
  const Range range(kernels_, "vjp");
  passes_.input_gradient += y_bar.rows;
  if (gradient != Gradient::ignore) passes_.weight_gradient += y_bar.rows;
  layer_for(trace.options).vjp(trace, y_bar, x_bar, gradient);
}

void Network::add_log_det(Trace& trace, float* log_det) {
  const Range range(kernels_, "log_det");
  layer_for(trace.options).add_log_det(trace, log_det);
}

void Network::vjp_log_det(Trace& trace, ConstView y_bar, const float* log_det_bar, View x_bar,
                          Gradient gradient) {
  const Range range(kernels_, "vjp_log_det");
  passes_.input_gradient += trace.options.batch;
  if (gradient != Gradient::ignore) passes_.weight_gradient += trace.options.batch;
  layer_for(trace.options).vjp_log_det(trace, y_bar, log_det_bar, x_bar, gradient);
}

void Network::vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) {
  const Range range(kernels_, "vjp_of_jvp");
  // The values' chain is skipped when nothing flows in it (Sequential::do_vjp_of_jvp).
  const bool values = !y_bar.value.empty() || !piecewise_linear(trace.options.statistics);
  const int64_t rows = y_bar.tangent.rows + (values ? trace.options.batch : 0);
  passes_.input_gradient += rows;
  if (gradient != Gradient::ignore) passes_.weight_gradient += rows;
  layer_for(trace.options).vjp_of_jvp(trace, y_bar, x_bar, gradient);
}

void Network::vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                         Gradient gradient) {
  const Range range(kernels_, "vjp_shared");
  passes_.input_gradient += y_bar.rows;
  if (gradient != Gradient::ignore) passes_.weight_gradient += y_bar.rows;
  layer_for(trace.options).vjp_shared(trace, y_bar, weights, x_bar, gradient);
}

}  // namespace ebm
