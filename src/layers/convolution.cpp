// SPDX-License-Identifier: MIT
#include "layers/convolution.h"

#include <cmath>

namespace ebm {

namespace {

Features checked_output(const ConvolutionShape& shape) {
  const auto fits = [](int64_t image, int64_t kernel, int64_t stride, int64_t padding) {
    return kernel >= 1 && stride >= 1 && padding >= 0 && image + 2 * padding >= kernel;
  };
  if (shape.output_channels < 1 ||
      !fits(shape.input.height, shape.kernel.height, shape.stride.height, shape.padding.height) ||
      !fits(shape.input.width, shape.kernel.width, shape.stride.width, shape.padding.width)) {
    throw Error("there is no convolution of " + to_string(shape) +
                "; the kernel must fit into the padded image");
  }
  return shape.output();
}

}  // namespace

ConvolutionShape convolution_shape(int64_t rows, const Features& input, int64_t channels,
                                   const Window& window) {
  return {.rows = rows,
          .input = input,
          .output_channels = channels,
          .kernel = window.kernel,
          .stride = window.stride,
          .padding = window.padding};
}

Convolution::Convolution(const Features& input, int64_t channels, const Window& window, Activation activation,
                         WeightNorm weight_norm, Bias bias)
    : AffineLayer(input, checked_output(convolution_shape(1, input, channels, window)), activation,
                  weight_norm),
      window_(window),
      has_bias_(bias) {}

void Convolution::declare(Parameters& parameters, const std::string& prefix) {
  const auto [height, width] = window_.kernel;
  const int64_t in = input().channels, out = output().channels;
  const Initialization uniform{Initialization::Kind::uniform,
                               1 / std::sqrt(static_cast<float>(in * height * width))};
  declare_weight(parameters, prefix,
                 parameters.add(prefix + "weight", {out, in, height, width}, Role::weight, uniform,
                                {.channels = in, .pixels = height * width}));
  if (has_bias_ == Bias::yes) bias_ = parameters.add(prefix + "bias", {out}, Role::bias, uniform);
}

void Convolution::apply(Trace& trace, ConstView x, View y) const {
  trace.kernels.convolve(
      ConvolutionForward{.shape = convolution_shape(x.rows, input(), output().channels, window_),
                         .x = x,
                         .weight = weight(trace),
                         .y = y,
                         .precision = trace.options.precision});
}

void Convolution::apply_transposed(Trace& trace, ConstView y_bar, View x_bar) const {
  trace.kernels.convolve(
      ConvolutionBackwardData{.shape = convolution_shape(y_bar.rows, input(), output().channels, window_),
                              .y_bar = y_bar,
                              .weight = weight(trace),
                              .x_bar = x_bar,
                              .precision = trace.options.precision});
}

void Convolution::add_weight_gradient(Trace& trace, ConstView y_bar, ConstView x, Write mode) const {
  trace.kernels.convolve(
      ConvolutionBackwardWeight{.shape = convolution_shape(x.rows, input(), output().channels, window_),
                                .x = x,
                                .y_bar = y_bar,
                                .weight_bar = weight_gradient(trace),
                                .mode = mode,
                                .precision = trace.options.weight_precision});
}

}  // namespace ebm
