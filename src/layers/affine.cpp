// SPDX-License-Identifier: MIT
#include "layers/affine.h"

#include <vector>

namespace ebm {

namespace {

struct AffineTrace : Trace {
  AffineTrace(Kernels& kernels, const TraceOptions& options, std::shared_ptr<Scratch> scratch, int64_t mixed)
      : Trace(kernels, options, std::move(scratch)),
        mixed(mixed),
        ones(kernels, std::vector<float>(static_cast<size_t>(options.batch), 1.0f)) {}
  const int64_t mixed;       // floats of scratch memory that mix_tangents needs; h_bar lies behind them
  const Buffer<float> ones;  // weights of a batch whose samples all count once
  ConstView y;               // the output, which the activation's derivative is told from

  std::unique_ptr<SpectralNorm::State> spectral;
  int64_t bar = 0;  // where the normalised weight's gradient begins in scratch memory
};

AffineTrace& of(Trace& trace) {
  return static_cast<AffineTrace&>(trace);
}
const AffineTrace& of(const Trace& trace) {
  return static_cast<const AffineTrace&>(trace);
}

/// The rows of both views as one, given that they are stacked.
template <class V>
V joined(V first, V second) {
  return {first.data, first.rows + second.rows, first.features, first.type};
}

}  // namespace

std::unique_ptr<Trace> AffineLayer::make_trace(Kernels& kernels, const TraceOptions& options,
                                               std::shared_ptr<Scratch> scratch) const {
  const int64_t mixed = weight_ != nullptr && options.tangents > 0
                            ? Scratch::floats(options.batch * input().size(), options.type())
                            : 0;
  auto trace = std::make_unique<AffineTrace>(kernels, options, std::move(scratch), mixed);
  const int64_t rows = options.batch + options.tangents * trace->tangent_samples();
  const bool masks = activation_.present() && options.kept == Kept::for_derivatives;
  const int64_t h_bar = masks ? floats_of(rows * output().size(), options.type()) : 0;
  trace->scratch->reserve(mixed + h_bar);
  if (spectral_ != nullptr) {
    trace->spectral = spectral_->make_state(kernels, options.type());
    trace->bar = mixed + Scratch::floats(h_bar, Type::float32);
    trace->scratch->reserve(trace->bar + weight_->size);
  }
  return trace;
}

void AffineLayer::declare_weight(Parameters& parameters, const std::string& prefix, const Parameter* weight) {
  weight_ = weight;
  if (weight_norm_ == WeightNorm::spectral)
    spectral_ = std::make_unique<SpectralNorm>(parameters, prefix, *weight);
}

ConstArray AffineLayer::weight(const Trace& trace) const {
  if (spectral_ != nullptr) return of(trace).spectral->weight();
  return trace.options.type() == Type::bfloat16 ? ConstArray(weight_->rounded) : ConstArray(weight_->value);
}

float* AffineLayer::weight_gradient(const Trace& trace) const {
  return spectral_ != nullptr ? trace.scratch->data() + of(trace).bar : weight_->gradient;
}

void AffineLayer::normalize_weight(Trace& trace) const {
  if (spectral_ != nullptr)
    spectral_->normalize(trace.kernels, trace.options.statistics, *of(trace).spectral);
}

/// How a map's first add_weight_gradient writes.
Write AffineLayer::weight_mode(Gradient gradient) const {
  return spectral_ != nullptr ? Write::overwrite : write_mode(gradient);
}

/// After a map's last add_weight_gradient.
void AffineLayer::finish_weight_gradient(Trace& trace, Gradient gradient) const {
  if (spectral_ != nullptr)
    spectral_->add_gradient(trace.kernels, *of(trace).spectral, weight_gradient(trace), write_mode(gradient));
}

void AffineLayer::apply_with_bias(Trace& trace, ConstView x, View y, const AddBias& then) const {
  apply(trace, x, y);
  trace.kernels.run(then);
}

/// y = A x, of which the first rows are `values`, to which b and the activation are applied.
void AffineLayer::apply_to(Trace& trace, ConstView x, View y, View values) const {
  of(trace).y = values;
  if (bias_ != nullptr && !leaves_bias_) {
    return apply_with_bias(trace, x, y,
                           {.rows = values.size() / bias_->size,
                            .columns = bias_->size,
                            .bias = bias_->value,
                            .y = values,
                            .slope = activation_.slope});
  }
  apply(trace, x, y);
  if (activation_.present()) {
    trace.kernels.run(LeakyRelu{
        .rows = 1, .columns = values.size(), .x = values, .slope = {activation_.slope}, .y = values});
  }
}

void AffineLayer::finish_tangents(Trace& trace, View y_dot) const {
  if (activation_.present()) mask_tangents(trace, activation_, of(trace).y, y_dot);
}

/// h_bar = m y_bar, in scratch memory; y_bar itself without an activation. With it b's gradient, unless it is
/// to be ignored: the sum of the values' h_bar, row i of the batch counting weights[i] times (null: once).
ConstPair AffineLayer::through_activation(Trace& trace, ConstPair y_bar, const float* weights,
                                          Gradient gradient) const {
  const bool has_value = !y_bar.value.empty();
  if (!activation_.present()) {
    if (has_value) add_bias_gradient(trace, y_bar.value, weights, gradient);
    return y_bar;
  }
  BiasGradient sum;
  if (has_value && bias_ != nullptr && gradient != Gradient::ignore)
    sum = {.out = bias_->gradient,
           .size = bias_->size,
           .weights = weights != nullptr ? weights : of(trace).ones.data(),
           .mode = write_mode(gradient)};
  return masked_cotangents(trace, activation_, of(trace).y, y_bar, trace.scratch->data() + of(trace).mixed,
                           sum);
}

void AffineLayer::add_bias_gradient(Trace& trace, ConstView h_bar, const float* weights,
                                    Gradient gradient) const {
  if (bias_ == nullptr || gradient == Gradient::ignore) return;
  // With the batch's statistics y does not depend on b: the sum would be rounding noise around 0.
  if (leaves_bias_ && trace.options.statistics == Statistics::batch) return no_bias_gradient(trace, gradient);
  const int64_t rows = h_bar.size() / bias_->size;
  if (weights == nullptr) {
    trace.kernels.run(ColumnSum{.rows = rows,
                                .columns = bias_->size,
                                .x = h_bar,
                                .out = bias_->gradient,
                                .mode = write_mode(gradient)});
  } else {
    trace.kernels.run(WeightedColumnSum{.rows = rows,
                                        .columns = bias_->size,
                                        .x = h_bar,
                                        .row_weight = weights,
                                        .out = bias_->gradient,
                                        .mode = write_mode(gradient),
                                        .pixels = rows / h_bar.rows});
  }
}

/// What those add to the bias's gradient that do not see it, such as tangents.
void AffineLayer::no_bias_gradient(Trace& trace, Gradient gradient) const {
  if (bias_ == nullptr || gradient != Gradient::overwrite) return;
  trace.kernels.zero(bias_->gradient, bias_->size * static_cast<int64_t>(sizeof(float)));
}

void AffineLayer::do_forward(Trace& trace, View y) const {
  normalize_weight(trace);
  apply_to(trace, trace.x, y, y);
}

void AffineLayer::do_jvp(Trace& trace, View y_dot) const {
  apply(trace, trace.x_dot, y_dot);
  finish_tangents(trace, y_dot);
}

void AffineLayer::do_forward_jvp(Trace& trace, Pair y) const {
  if (!stacked(trace.x, trace.x_dot) || !stacked(y.value, y.tangent)) {
    return Layer::do_forward_jvp(trace, y);
  }
  normalize_weight(trace);
  apply_to(trace, joined(trace.x, trace.x_dot), joined(y.value, y.tangent), y.value);
  finish_tangents(trace, y.tangent);
}

void AffineLayer::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const {
  const ConstView h_bar = through_activation(trace, {y_bar, {}}, nullptr, gradient).value;
  if (!x_bar.empty()) apply_transposed(trace, h_bar, x_bar);
  if (gradient == Gradient::ignore || weight_ == nullptr) return;
  add_weight_gradient(trace, h_bar, trace.x, weight_mode(gradient));
  finish_weight_gradient(trace, gradient);
}

void AffineLayer::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  const bool has_value = !y_bar.value.empty();
  if (!has_value) no_bias_gradient(trace, gradient);
  const ConstPair h_bar = through_activation(trace, y_bar, nullptr, gradient);
  const bool one_call = has_value && stacked(h_bar.value, h_bar.tangent);
  if (one_call && !x_bar.value.empty() && !x_bar.tangent.empty() && stacked(x_bar.value, x_bar.tangent)) {
    apply_transposed(trace, joined(h_bar.value, h_bar.tangent), joined(x_bar.value, x_bar.tangent));
  } else {
    if (has_value && !x_bar.value.empty()) apply_transposed(trace, h_bar.value, x_bar.value);
    if (!x_bar.tangent.empty()) apply_transposed(trace, h_bar.tangent, x_bar.tangent);
  }
  if (gradient == Gradient::ignore || weight_ == nullptr) return;
  const Write mode = weight_mode(gradient);
  if (one_call && stacked(trace.x, trace.x_dot)) {
    add_weight_gradient(trace, joined(h_bar.value, h_bar.tangent), joined(trace.x, trace.x_dot), mode);
  } else {
    add_weight_gradient(trace, h_bar.tangent, trace.x_dot, mode);
    if (has_value) add_weight_gradient(trace, h_bar.value, trace.x, Write::accumulate);
  }
  finish_weight_gradient(trace, gradient);
}

void AffineLayer::do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                                Gradient gradient) const {
  const Gradient of_bias = weights.values != nullptr ? gradient : Gradient::ignore;
  const ConstView h_bar = through_activation(trace, {y_bar, {}}, weights.values, of_bias).value;
  if (weights.values == nullptr) no_bias_gradient(trace, gradient);
  if (!x_bar.empty()) apply_transposed(trace, h_bar, x_bar);
  if (gradient == Gradient::ignore || weight_ == nullptr) return;
  add_weight_gradient(trace, h_bar, mix_tangents(trace, weights), weight_mode(gradient));
  finish_weight_gradient(trace, gradient);
}

}  // namespace ebm
