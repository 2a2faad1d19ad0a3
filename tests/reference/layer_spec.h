// SPDX-License-Identifier: MIT
// What the reference's networks are made of, and how many numbers each layer has (network.h says in which order).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "reference/convolution.h"

namespace ebm::reference {

enum class Kind {
  linear,
  prelu,
  leaky_relu,
  relu,
  tanh,
  softplus,
  silu,
  batch_norm,
  convolution,
  transposed_convolution,
  average_pool,
  max_pool,
  upsample,
  spatial_sum,
  residual,
  joined_inputs,
  noisy_output,
  coupling
};

/// One layer. Features of a row lie channel-last, so feature j belongs to channel j % channels. A layer of a
/// later kind adds its sizes here and its case in parameter_count and apply.
struct LayerSpec {
  Kind kind = Kind::linear;
  int64_t in = 0;   ///< linear, noisy_output, joined_inputs' left: inputs; batch_norm, pooling: channels
  int64_t out = 0;  ///< linear: outputs; coupling: steps
  int64_t in_pixels = 1;   ///< linear: the inputs are an image's, which PyTorch flattens channels first
  int64_t out_pixels = 1;  ///< linear: so are the outputs
  double slope = 0.0;      ///< leaky_relu: the fixed slope (PReLU's slope is a parameter)
  bool bias = true;        ///< linear, convolution, transposed_convolution
  bool spectral = false;   ///< linear, convolution: the weight is normalised
  double eps = 1e-5;       ///< batch_norm
  double momentum = 0.1;   ///< batch_norm
  /// convolution; transposed_convolution: of the convolution that is transposed; average_pool, upsample: its
  /// images (the large ones) and windows
  ConvolutionSizes sizes = {};
  /// residual; joined_inputs: trunk and head; noisy_output: left
  std::vector<LayerSpec> left = {}, right = {};

  static LayerSpec linear(int64_t in, int64_t out) { return {.kind = Kind::linear, .in = in, .out = out}; }
  static LayerSpec prelu() { return {.kind = Kind::prelu}; }
  static LayerSpec leaky_relu(double slope) { return {.kind = Kind::leaky_relu, .slope = slope}; }
  static LayerSpec relu() { return {.kind = Kind::relu}; }
  static LayerSpec tanh() { return {.kind = Kind::tanh}; }
  static LayerSpec softplus() { return {.kind = Kind::softplus}; }
  static LayerSpec silu() { return {.kind = Kind::silu}; }
  static LayerSpec batch_norm(int64_t channels) { return {.kind = Kind::batch_norm, .in = channels}; }
  static LayerSpec convolution(const ConvolutionSizes& sizes) {
    return {.kind = Kind::convolution, .sizes = sizes};
  }
  static LayerSpec transposed_convolution(const ConvolutionSizes& transposed) {
    return {.kind = Kind::transposed_convolution, .sizes = transposed};
  }
  /// Windows of kernel_height x kernel_width.
  static LayerSpec average_pool(const ConvolutionSizes& sizes) {
    return {.kind = Kind::average_pool, .sizes = sizes};
  }
  static LayerSpec max_pool(const ConvolutionSizes& sizes) {
    return {.kind = Kind::max_pool, .sizes = sizes};
  }
  static LayerSpec upsample(const ConvolutionSizes& sizes) {
    return {.kind = Kind::upsample, .sizes = sizes};
  }
  static LayerSpec spatial_sum(int64_t channels) { return {.kind = Kind::spatial_sum, .in = channels}; }
  static LayerSpec residual(std::vector<LayerSpec> left, std::vector<LayerSpec> right) {
    return {.kind = Kind::residual, .left = std::move(left), .right = std::move(right)};
  }
  /// head([trunk(x) | z]) of rows [x | z], x of `in` features.
  static LayerSpec joined_inputs(int64_t in, std::vector<LayerSpec> trunk, std::vector<LayerSpec> head) {
    return {.kind = Kind::joined_inputs, .in = in, .left = std::move(trunk), .right = std::move(head)};
  }
  /// g(h) + exp(w[0]) e of rows [h | e], h of `in` features.
  static LayerSpec noisy_output(int64_t in, std::vector<LayerSpec> g) {
    return {.kind = Kind::noisy_output, .in = in, .left = std::move(g)};
  }
  /// [f(v; net(u)) | u] of rows [u | v], u of `in` features, f of so many steps.
  static LayerSpec coupling(int64_t in, int64_t steps, std::vector<LayerSpec> net) {
    return {.kind = Kind::coupling, .in = in, .out = steps, .left = std::move(net)};
  }
  LayerSpec without_bias() const {
    LayerSpec copy = *this;
    copy.bias = false;
    return copy;
  }
  /// This one with its weight normalised.
  LayerSpec normalised() const {
    LayerSpec copy = *this;
    copy.spectral = true;
    return copy;
  }
};
using NetworkSpec = std::vector<LayerSpec>;

inline int64_t parameter_count(const NetworkSpec& layers);
inline int64_t running_count(const NetworkSpec& layers);

inline int64_t parameter_count(const LayerSpec& layer) {
  switch (layer.kind) {
    case Kind::linear:
      return layer.out * layer.in + (layer.bias ? layer.out : 0);
    case Kind::prelu:
      return 1;
    case Kind::batch_norm:
      return 2 * layer.in;
    case Kind::convolution:
      return layer.sizes.weights() + (layer.bias ? layer.sizes.outputs : 0);
    case Kind::transposed_convolution:
      return layer.sizes.weights() + (layer.bias ? layer.sizes.channels : 0);
    case Kind::residual:
    case Kind::joined_inputs:
    case Kind::coupling:
      return parameter_count(layer.left) + parameter_count(layer.right);
    case Kind::noisy_output:
      return 1 + parameter_count(layer.left);
    default:
      return 0;
  }
}
inline int64_t running_count(const LayerSpec& layer) {
  switch (layer.kind) {
    case Kind::residual:
    case Kind::joined_inputs:
    case Kind::noisy_output:
    case Kind::coupling:
      return running_count(layer.left) + running_count(layer.right);
    case Kind::batch_norm:
      return 2 * layer.in;
    case Kind::linear:
      return layer.spectral ? layer.out : 0;
    case Kind::convolution:
      return layer.spectral ? layer.sizes.outputs : 0;
    default:
      return 0;
  }
}
inline int64_t parameter_count(const NetworkSpec& layers) {
  int64_t count = 0;
  for (const LayerSpec& layer : layers) count += parameter_count(layer);
  return count;
}
inline int64_t running_count(const NetworkSpec& layers) {
  int64_t count = 0;
  for (const LayerSpec& layer : layers) count += running_count(layer);
  return count;
}

}  // namespace ebm::reference
