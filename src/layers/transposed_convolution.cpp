// SPDX-License-Identifier: MIT
#include "layers/transposed_convolution.h"

#include <cmath>

namespace ebm {

namespace {

Features checked_output(const Features& input, int64_t channels, const Window& window) {
  const auto [kernel, stride, padding, more] = window;
  if (more.height < 0 || more.width < 0 || more.height >= stride.height || more.width >= stride.width)
    throw Error("a transposed convolution's output_padding must be less than its stride");
  const Features output{
      .height = (input.height - 1) * stride.height - 2 * padding.height + kernel.height + more.height,
      .width = (input.width - 1) * stride.width - 2 * padding.width + kernel.width + more.width,
      .channels = channels};
  if (output.height < 1 || output.width < 1 || channels < 1) {
    throw Error("a transposed convolution of " + to_string(input) + " would give " + to_string(output) +
                "; use less padding");
  }
  return output;
}

}  // namespace

TransposedConvolution::TransposedConvolution(const Features& input, int64_t channels, const Window& window,
                                             Activation activation, Bias bias)
    : AffineLayer(input, checked_output(input, channels, window), activation),
      window_(window),
      has_bias_(bias) {}

void TransposedConvolution::declare(Parameters& parameters, const std::string& prefix) {
  const auto [height, width] = window_.kernel;
  const int64_t in = input().channels, out = output().channels;
  const Initialization uniform{Initialization::Kind::uniform,
                               1 / std::sqrt(static_cast<float>(out * height * width))};
  weight_ = parameters.add(prefix + "weight", {in, out, height, width}, Role::weight, uniform,
                           {.channels = out, .pixels = height * width});
  if (has_bias_ == Bias::yes) bias_ = parameters.add(prefix + "bias", {out}, Role::bias, uniform);
}

void TransposedConvolution::apply(Trace& trace, ConstView x, View y) const {
  trace.kernels.convolve(ConvolutionBackwardData{.shape = transposed(x.rows),
                                                 .y_bar = x,
                                                 .weight = weight(trace),
                                                 .x_bar = y,
                                                 .precision = trace.options.precision});
}

void TransposedConvolution::apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const {
  trace.kernels.convolve(ConvolutionForward{.shape = transposed(y_bar.rows),
                                            .x = y_bar,
                                            .weight = weight(trace),
                                            .y = x_bar,
                                            .precision = trace.options.precision});
}

void TransposedConvolution::add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x,
                                                Write mode) const {
  trace.kernels.convolve(ConvolutionBackwardWeight{.shape = transposed(x.rows),
                                                   .x = y_bar,
                                                   .y_bar = x,
                                                   .weight_bar = weight_gradient(trace),
                                                   .mode = mode,
                                                   .precision = trace.options.weight_precision});
}

}  // namespace ebm
