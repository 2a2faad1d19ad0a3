// SPDX-License-Identifier: MIT
// The networks, layer by layer, for any scalar: y = f(x; w) on a batch of rows. Nothing here knows a
// derivative; dual numbers supply them (derivatives.h).
//
// Parameters are one vector in the order of PyTorch's state_dict without the running statistics: per layer
// weight then bias, in PyTorch's shapes, row-major: out x in, OIHW, IOHW. Running statistics are a second
// vector: per batch norm mean then variance, per spectral norm u. They are constants of all derivatives.
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "reference/layer_spec.h"
#include "reference/matrix.h"
#include "reference/pooling.h"
#include "reference/spectral_norm.h"

namespace ebm::reference {

/// Table 6: energy Linear(in,h) PReLU Linear(h,h) PReLU Linear(h,1).
inline NetworkSpec table6_energy(int64_t in, int64_t h) {
  return {LayerSpec::linear(in, h), LayerSpec::prelu(), LayerSpec::linear(h, h), LayerSpec::prelu(),
          LayerSpec::linear(h, 1)};
}
/// Table 6: generator [Linear PReLU BN] twice, Linear(h,out).
inline NetworkSpec table6_generator(int64_t in, int64_t h, int64_t out) {
  return {LayerSpec::linear(in, h), LayerSpec::prelu(), LayerSpec::batch_norm(h),
          LayerSpec::linear(h, h),  LayerSpec::prelu(), LayerSpec::batch_norm(h),
          LayerSpec::linear(h, out)};
}

enum class Statistics { batch, running };

/// Where feature j of an image of so many pixels stands in PyTorch's order, channels first.
inline int64_t channels_first(int64_t j, int64_t features, int64_t pixels) {
  const int64_t channels = features / pixels;
  return j % channels * pixels + j / channels;
}

/// y = x W^T + b; parameters W (out x in), then b.
template <class T>
Matrix<T> apply_linear(const LayerSpec& layer, const T* w, const Matrix<T>& x) {
  if (x.cols != layer.in) throw std::invalid_argument("linear: wrong number of features");
  Matrix<T> y(x.rows, layer.out);
  for (int64_t b = 0; b < x.rows; ++b)
    for (int64_t j = 0; j < layer.out; ++j) {
      const int64_t o = channels_first(j, layer.out, layer.out_pixels);
      T sum = layer.bias ? w[layer.out * layer.in + o] : T(0.0);
      for (int64_t i = 0; i < layer.in; ++i)
        sum += w[o * layer.in + channels_first(i, layer.in, layer.in_pixels)] * x(b, i);
      y(b, j) = sum;
    }
  return y;
}

/// y += bias of its channel.
template <class T>
Matrix<T> add_bias(Matrix<T> y, int64_t channels, const T* bias) {
  for (int64_t b = 0; b < y.rows; ++b)
    for (int64_t j = 0; j < y.cols; ++j) y(b, j) += bias[j % channels];
  return y;
}

/// y = x where x > 0, slope * x elsewhere (at 0 the slope's side, as PyTorch).
template <class T>
Matrix<T> apply_slope(const T& slope, Matrix<T> x) {
  for (T& element : x.values)
    if (!(element > T(0.0))) element = slope * element;
  return x;
}

/// Batch norm over the rows and positions of each channel:
///   y = weight (x - mean) / sqrt(var + eps) + bias,
/// with mean and biased variance of the batch, or the running ones. `updated`, when given, receives
///   running <- (1 - momentum) running + momentum (batch mean | batch variance * n / (n - 1)).
template <class T>
Matrix<T> apply_batch_norm(const LayerSpec& layer, const T* w, const double* running, Statistics statistics,
                           Matrix<T> x, double* updated) {
  using std::sqrt;
  const int64_t channels = layer.in;
  if (x.cols % channels != 0)
    throw std::invalid_argument("batch norm: features are not a multiple of the channels");
  const int64_t positions = x.cols / channels;
  const double n = static_cast<double>(x.rows * positions);
  for (int64_t c = 0; c < channels; ++c) {
    T mean = T(running[c]);
    T variance = T(running[channels + c]);
    if (statistics == Statistics::batch) {
      mean = T(0.0);
      for (int64_t b = 0; b < x.rows; ++b)
        for (int64_t p = 0; p < positions; ++p) mean += x(b, p * channels + c);
      mean /= T(n);
      variance = T(0.0);
      for (int64_t b = 0; b < x.rows; ++b)
        for (int64_t p = 0; p < positions; ++p) {
          const T centred = x(b, p * channels + c) - mean;
          variance += centred * centred;
        }
      variance /= T(n);
      if (updated != nullptr) {
        updated[c] = (1 - layer.momentum) * running[c] + layer.momentum * value_of(mean);
        updated[channels + c] =
            (1 - layer.momentum) * running[channels + c] + layer.momentum * value_of(variance) * n / (n - 1);
      }
    }
    const T deviation = sqrt(variance + T(layer.eps));
    for (int64_t b = 0; b < x.rows; ++b)
      for (int64_t p = 0; p < positions; ++p) {
        T& element = x(b, p * channels + c);
        element = w[c] * (element - mean) / deviation + w[channels + c];
      }
  }
  return x;
}

template <class T>
Matrix<T> apply(const NetworkSpec& layers, const T* w, const double* running, Statistics statistics,
                Matrix<T> x, double* updated);

/// left(x) + right(x); the parameters of the left layers come first.
template <class T>
Matrix<T> apply_residual(const LayerSpec& layer, const T* w, const double* running, Statistics statistics,
                         const Matrix<T>& x, double* updated) {
  Matrix<T> y = apply(layer.left, w, running, statistics, x, updated);
  const int64_t skipped = running_count(layer.left);
  const Matrix<T> more = apply(layer.right, w + parameter_count(layer.left), running + skipped, statistics, x,
                               updated == nullptr ? nullptr : updated + skipped);
  for (size_t i = 0; i < y.values.size(); ++i) y.values[i] += more.values.at(i);
  return y;
}

/// The columns first .. first + count - 1.
template <class T>
Matrix<T> columns_of(const Matrix<T>& x, int64_t first, int64_t count) {
  Matrix<T> part(x.rows, count);
  for (int64_t b = 0; b < x.rows; ++b)
    for (int64_t j = 0; j < count; ++j) part(b, j) = x(b, first + j);
  return part;
}

/// head([trunk(x) | z]) of rows [x | z]; the parameters of the trunk come first.
template <class T>
Matrix<T> apply_joined(const LayerSpec& layer, const T* w, const double* running, Statistics statistics,
                       const Matrix<T>& x, double* updated) {
  const int64_t others = x.cols - layer.in;
  const Matrix<T> t = apply(layer.left, w, running, statistics, columns_of(x, 0, layer.in), updated);
  Matrix<T> joined(x.rows, t.cols + others);
  for (int64_t b = 0; b < x.rows; ++b)
    for (int64_t j = 0; j < joined.cols; ++j)
      joined(b, j) = j < t.cols ? t(b, j) : x(b, layer.in + j - t.cols);
  const int64_t skipped = running_count(layer.left);
  return apply(layer.right, w + parameter_count(layer.left), running + skipped, statistics, joined,
               updated == nullptr ? nullptr : updated + skipped);
}

/// g(h) + exp(w[0]) e of rows [h | e].
template <class T>
Matrix<T> apply_noisy(const LayerSpec& layer, const T* w, const double* running, Statistics statistics,
                      const Matrix<T>& x, double* updated) {
  using std::exp;
  Matrix<T> y = apply(layer.left, w + 1, running, statistics, columns_of(x, 0, layer.in), updated);
  const T sigma = exp(w[0]);
  for (int64_t b = 0; b < y.rows; ++b)
    for (int64_t j = 0; j < y.cols; ++j) y(b, j) += sigma * x(b, layer.in + j);
  return y;
}

/// One to one: a line and steps of tanh, which all rise.
template <class T>
T rising(const T* p, int64_t steps, const T& v) {
  using std::exp;
  using std::tanh;
  T y = exp(p[3 * steps] - T(0.5)) * v + p[3 * steps + 1];
  for (int64_t k = 0; k < steps; ++k) {
    const double centre =
        steps > 1 ? 4.0 * static_cast<double>(k) / static_cast<double>(steps - 1) - 2.0 : 0.0;
    y += exp(p[k] - T(2.0)) * tanh(exp(p[steps + k]) * (v - p[2 * steps + k] - T(centre)));
  }
  return y;
}

/// [f(v; net(u)) | u] of rows [u | v].
template <class T>
Matrix<T> apply_coupling(const LayerSpec& layer, const T* w, const double* running, Statistics statistics,
                         const Matrix<T>& x, double* updated) {
  const int64_t moved = x.cols - layer.in, each = 3 * layer.out + 2;
  const Matrix<T> p = apply(layer.left, w, running, statistics, columns_of(x, 0, layer.in), updated);
  Matrix<T> y(x.rows, x.cols);
  for (int64_t b = 0; b < x.rows; ++b)
    for (int64_t j = 0; j < x.cols; ++j)
      y(b, j) = j < moved ? rising(&p(b, j * each), layer.out, x(b, layer.in + j)) : x(b, j - moved);
  return y;
}

/// A linear layer's or convolution's parameters with W normalised.
template <class T>
std::vector<T> normalised_parameters(const LayerSpec& layer, const T* w, const double* running,
                                     Statistics statistics, double* updated) {
  const bool linear = layer.kind == Kind::linear;
  const int64_t outputs = linear ? layer.out : layer.sizes.outputs,
                weights = linear ? layer.out * layer.in : layer.sizes.weights();
  std::vector<T> all =
      spectral_weight(outputs, weights / outputs, w, running, statistics == Statistics::batch, updated);
  all.insert(all.end(), w + weights, w + parameter_count(layer));
  return all;
}

/// A convolution's y, and the bias behind its weights, if it has one.
template <class T>
Matrix<T> with_bias(const LayerSpec& layer, Matrix<T> y, int64_t channels, const T* w) {
  return layer.bias ? add_bias(std::move(y), channels, w + layer.sizes.weights()) : y;
}

/// One layer; w, running, updated point at its own part of the vectors.
template <class T>
Matrix<T> apply(const LayerSpec& layer, const T* w, const double* running, Statistics statistics, Matrix<T> x,
                double* updated) {
  using std::exp;
  using std::log;
  using std::tanh;
  const ConvolutionSizes& sizes = layer.sizes;
  std::vector<T> normalised;
  if (layer.spectral) {
    normalised = normalised_parameters(layer, w, running, statistics, updated);
    w = normalised.data();
  }
  switch (layer.kind) {
    case Kind::linear:
      return apply_linear(layer, w, x);
    case Kind::prelu:
      return apply_slope(w[0], std::move(x));
    case Kind::leaky_relu:
      return apply_slope(T(layer.slope), std::move(x));
    case Kind::relu:
      return apply_slope(T(0.0), std::move(x));
    case Kind::tanh:
      for (T& element : x.values) element = tanh(element);
      return x;
    case Kind::softplus:
      for (T& element : x.values)
        element = element > T(0.0) ? element + log(T(1.0) + exp(-element)) : log(T(1.0) + exp(element));
      return x;
    case Kind::silu:
      for (T& element : x.values) element = element / (T(1.0) + exp(-element));
      return x;
    case Kind::batch_norm:
      return apply_batch_norm(layer, w, running, statistics, std::move(x), updated);
    case Kind::convolution:
      return with_bias(layer, convolve(sizes, x, w), sizes.outputs, w);
    case Kind::transposed_convolution:
      return with_bias(layer, convolve_transposed(sizes, x, w), sizes.channels, w);
    case Kind::average_pool:
      return apply_average_pool(sizes, x);
    case Kind::max_pool:
      return apply_max_pool(sizes, x);
    case Kind::upsample:
      return apply_upsample(sizes, x);
    case Kind::spatial_sum:
      return apply_spatial_sum(layer.in, x);
    case Kind::residual:
      return apply_residual(layer, w, running, statistics, x, updated);
    case Kind::joined_inputs:
      return apply_joined(layer, w, running, statistics, x, updated);
    case Kind::noisy_output:
      return apply_noisy(layer, w, running, statistics, x, updated);
    case Kind::coupling:
      return apply_coupling(layer, w, running, statistics, x, updated);
  }
  throw std::invalid_argument("apply: unknown layer");
}

/// Layer after layer.
template <class T>
Matrix<T> apply(const NetworkSpec& layers, const T* w, const double* running, Statistics statistics,
                Matrix<T> x, double* updated) {
  for (const LayerSpec& layer : layers) {
    x = apply(layer, w, running, statistics, std::move(x), updated);
    w += parameter_count(layer);
    running += running_count(layer);
    if (updated != nullptr) updated += running_count(layer);
  }
  return x;
}

/// A sequential network: its layers, its numbers and which statistics batch norm uses. It is a callable f(x,
/// w) for any scalar, which is all that derivatives.h asks.
struct Network {
  NetworkSpec layers;
  std::vector<double> parameters;
  std::vector<double> running;
  Statistics statistics = Statistics::batch;

  template <class T>
  Matrix<T> operator()(Matrix<T> x, const std::vector<T>& w, std::vector<double>* updated = nullptr) const {
    if (std::ssize(w) != parameter_count(layers) || std::ssize(running) != running_count(layers))
      throw std::invalid_argument("Network: wrong number of parameters or running statistics");
    if (updated != nullptr) *updated = running;
    return apply(layers, w.data(), running.data(), statistics, std::move(x),
                 updated == nullptr ? nullptr : updated->data());
  }
  /// y = f(x) with its own parameters.
  Matrix<double> operator()(const Matrix<double>& x) const { return (*this)(x, parameters); }
  /// The running statistics as they stand after a forward pass of x with batch statistics.
  std::vector<double> running_after(const Matrix<double>& x) const {
    std::vector<double> updated;
    with(Statistics::batch)(x, parameters, &updated);
    return updated;
  }
  Network with(Statistics other) const {
    Network copy = *this;
    copy.statistics = other;
    return copy;
  }
};

}  // namespace ebm::reference
