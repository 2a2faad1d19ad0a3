// SPDX-License-Identifier: MIT
#include "support/networks.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/channels_last.h"
#include "layers/batch_norm.h"
#include "layers/convolution.h"
#include "layers/joined_inputs.h"
#include "layers/leaky_relu.h"
#include "layers/linear.h"
#include "layers/max_pool.h"
#include "layers/monotone_coupling.h"
#include "layers/noisy_output.h"
#include "layers/pooling.h"
#include "layers/prelu.h"
#include "layers/relu.h"
#include "layers/residual.h"
#include "layers/sequential.h"
#include "layers/smooth_activation.h"
#include "layers/tanh.h"
#include "layers/transposed_convolution.h"
#include "reference/random.h"

namespace ebm::test {

namespace {

Window window_of(const reference::ConvolutionSizes& s) {
  return {.kernel = {s.kernel_height, s.kernel_width},
          .stride = {s.stride_height, s.stride_width},
          .padding = {s.padding_height, s.padding_width},
          .output_padding = {(s.height + 2 * s.padding_height - s.kernel_height) % s.stride_height,
                             (s.width + 2 * s.padding_width - s.kernel_width) % s.stride_width}};
}

/// The image that a transposed convolution takes.
Features small_image(const reference::ConvolutionSizes& s) {
  return {.height = s.output_height(), .width = s.output_width(), .channels = s.outputs};
}

/// Outputs of a Linear, as an image of one line if they are one's.
Features outputs_of(const reference::LayerSpec& linear) {
  return {.height = 1, .width = linear.out_pixels, .channels = linear.out / linear.out_pixels};
}

std::unique_ptr<Layer> layer_of(const reference::LayerSpec& spec, const Features& input) {
  using reference::Kind;
  const Bias bias = spec.bias ? Bias::yes : Bias::no;
  const WeightNorm weight_norm = spec.spectral ? WeightNorm::spectral : WeightNorm::none;
  switch (spec.kind) {
    case Kind::linear:
      return std::make_unique<Linear>(input, outputs_of(spec), bias, Activation{}, weight_norm);
    case Kind::prelu:
      return std::make_unique<PreluLayer>(input);
    case Kind::leaky_relu:
      return std::make_unique<LeakyReluLayer>(input, static_cast<float>(spec.slope));
    case Kind::relu:
      return std::make_unique<ReluLayer>(input);
    case Kind::tanh:
      return std::make_unique<TanhLayer>(input);
    case Kind::softplus:
      return std::make_unique<SmoothActivation>(input, Curve::softplus);
    case Kind::silu:
      return std::make_unique<SmoothActivation>(input, Curve::silu);
    case Kind::batch_norm:
      return std::make_unique<BatchNorm>(input, static_cast<float>(spec.eps),
                                         static_cast<float>(spec.momentum));
    case Kind::convolution:
      return std::make_unique<Convolution>(input, spec.sizes.outputs, window_of(spec.sizes), Activation{},
                                           weight_norm, bias);
    case Kind::transposed_convolution:
      return std::make_unique<TransposedConvolution>(small_image(spec.sizes), spec.sizes.channels,
                                                     window_of(spec.sizes), Activation{}, bias);
    case Kind::average_pool:
      return std::make_unique<AveragePool>(input, window_of(spec.sizes).kernel);
    case Kind::max_pool:
      return std::make_unique<MaxPool>(input, window_of(spec.sizes));
    case Kind::upsample:
      return std::make_unique<Upsample>(input, window_of(spec.sizes).kernel);
    case Kind::spatial_sum:
      return std::make_unique<SpatialSum>(input);
    case Kind::residual:
      if (spec.right.empty())
        return std::make_unique<Residual>(Sequential::Child{"left", layers_of(spec.left, input)});
      return std::make_unique<Residual>(Sequential::Child{"left", layers_of(spec.left, input)},
                                        Sequential::Child{"right", layers_of(spec.right, input)});
    case Kind::joined_inputs: {
      auto trunk = layers_of(spec.left, flat(spec.in));
      const int64_t joined = trunk->output().size() + input.size() - spec.in;
      return std::make_unique<JoinedInputs>(Sequential::Child{"trunk", std::move(trunk)},
                                            Sequential::Child{"head", layers_of(spec.right, flat(joined))});
    }
    case Kind::noisy_output:
      return std::make_unique<NoisyOutput>(Sequential::Child{"g", layers_of(spec.left, flat(spec.in))},
                                           -1.0f);
    case Kind::coupling:
      return std::make_unique<MonotoneCoupling>(
          input, spec.out, Sequential::Child{"net", layers_of(spec.left, flat(spec.in))});
  }
  throw std::invalid_argument("layer_of: unknown layer");
}

}  // namespace

std::unique_ptr<Layer> layers_of(const reference::NetworkSpec& spec, const Features& input) {
  if (spec.size() == 1) return layer_of(spec.front(), input);
  std::vector<std::unique_ptr<Layer>> layers;
  for (const reference::LayerSpec& layer : spec) {
    layers.push_back(layer_of(layer, layers.empty() ? input : layers.back()->output()));
  }
  return sequential(std::move(layers));
}

std::vector<float> gather(Kernels& kernels, const std::deque<Parameter>& parameters, View flat_buffer) {
  std::vector<float> all;
  for (const Parameter& p : parameters) {
    const std::vector<float> part =
        to_pytorch_order(download(kernels, Parameters::part(flat_buffer, p)), p.order);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

void scatter(Kernels& kernels, const std::deque<Parameter>& parameters, View flat_buffer,
             const std::vector<double>& values) {
  auto from = values.begin();
  for (const Parameter& p : parameters) {
    if (values.end() - from < p.size) throw std::invalid_argument("scatter: too few values");
    const std::vector<float> memory =
        to_memory_order(reference::to_float(std::vector<double>(from, from + p.size)), p.order);
    kernels.upload(Parameters::part(flat_buffer, p).data, memory.data(),
                   p.size * static_cast<int64_t>(sizeof(float)));
    from += p.size;
  }
  if (from != values.end()) throw std::invalid_argument("scatter: too many values");
}

void expect_close(const std::deque<Parameter>& parameters, const std::vector<float>& actual,
                  const std::vector<double>& expected, Tolerance tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const double x : expected) tolerance.terms = std::max(tolerance.terms, 0.01 * std::abs(x));
  if (tolerance.reason.empty()) tolerance.reason = "a hundredth of the largest";
  size_t first = 0;
  for (const Parameter& p : parameters) {
    const auto size = static_cast<size_t>(p.size);
    EXPECT_TRUE(
        close(std::span(actual).subspan(first, size), std::span(expected).subspan(first, size), tolerance))
        << p.name;
    first += size;
  }
}

void load(Kernels& kernels, Network& network, const reference::Network& oracle) {
  const Parameters& p = network.parameters();
  scatter(kernels, p.trainable(), p.values(), oracle.parameters);
  scatter(kernels, p.statistics(), p.statistics_values(), oracle.running);
}

void upload(Kernels& kernels, View to, const std::vector<double>& values) {
  const std::vector<float> rounded = reference::to_float(values);
  if (std::ssize(rounded) != to.size()) {
    throw std::invalid_argument("upload of " + std::to_string(rounded.size()) + " values to " +
                                to_string(to));
  }
  kernels.upload(to.data, rounded.data(), to.size() * static_cast<int64_t>(sizeof(float)));
}

Tensor on_device(Kernels& kernels, const reference::Matrix<double>& values, const Features& features) {
  Tensor tensor(kernels, values.rows, features);
  upload(kernels, tensor, values);
  return tensor;
}

Tensor unwritten(Kernels& kernels, int64_t rows, const Features& features) {
  Tensor tensor(kernels, rows, features);
  tensor.upload(std::vector<float>(static_cast<size_t>(tensor.size()), float_nan));
  return tensor;
}

}  // namespace ebm::test
