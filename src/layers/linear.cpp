// SPDX-License-Identifier: MIT
#include "layers/linear.h"

#include <cmath>

namespace ebm {

namespace {

bool is_image(const Features& features) {
  return features.pixels() > 1;
}

}  // namespace

Linear::Linear(const Features& in, const Features& out, Bias bias, Activation activation,
               WeightNorm weight_norm)
    : AffineLayer(in, out, activation, weight_norm), has_bias_(bias) {
  if (in.size() < 1 || out.size() < 1) {
    throw Error("a Linear from " + to_string(in) + " to " + to_string(out) +
                ": both need at least one feature; use a wider network");
  }
  if (is_image(in) && is_image(out)) {
    throw Error("a Linear from image " + to_string(in) + " to image " + to_string(out) +
                " has no order in PyTorch's files; put a flat layer between them");
  }
  if (is_image(out) && weight_norm == WeightNorm::spectral) {
    throw Error("a Linear to image " + to_string(out) +
                " has no spectral norm: files keep no order of its u; normalise flat outputs");
  }
}

void Linear::declare(Parameters& parameters, const std::string& prefix) {
  const int64_t in = input().size(), out = output().size();
  const Initialization uniform{Initialization::Kind::uniform, 1 / std::sqrt(static_cast<float>(in))};
  const ChannelsLast of_inputs{.channels = input().channels, .pixels = input().pixels()};
  const ChannelsLast of_outputs{.channels = output().channels, .pixels = output().pixels(), .inner = in};
  declare_weight(parameters, prefix,
                 parameters.add(prefix + "weight", {out, in}, Role::weight, uniform,
                                is_image(output()) ? of_outputs : of_inputs));
  if (has_bias_ == Bias::no) return;
  bias_ = parameters.add(prefix + "bias", {out}, Role::bias, uniform,
                         {.channels = output().channels, .pixels = output().pixels()});
}

/// y = x W^T.
Gemm Linear::product(const Trace& trace, ConstView x, View y) const {
  return {.m = x.rows,
          .n = output().size(),
          .inner = input().size(),
          .a = x,
          .b = weight(trace),
          .transpose_b = Transpose::yes,
          .c = y,
          .precision = trace.options.precision};
}

void Linear::apply(Trace& trace, ConstView x, View y) const {
  trace.kernels.gemm(product(trace, x, y));
}

void Linear::apply_with_bias(Trace& trace, ConstView x, View y, const AddBias& then) const {
  trace.kernels.affine(product(trace, x, y), then);
}

void Linear::apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const {
  trace.kernels.gemm({.m = y_bar.rows,
                      .n = input().size(),
                      .inner = output().size(),
                      .a = y_bar,
                      .b = weight(trace),
                      .c = x_bar,
                      .precision = trace.options.precision});
}

void Linear::add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const {
  trace.kernels.gemm({.m = output().size(),
                      .n = input().size(),
                      .inner = y_bar.rows,
                      .a = y_bar,
                      .transpose_a = Transpose::yes,
                      .b = x,
                      .c = weight_gradient(trace),
                      .beta = mode == Write::accumulate ? 1.0f : 0.0f,
                      .precision = trace.options.weight_precision});
}

}  // namespace ebm
