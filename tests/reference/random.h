// SPDX-License-Identifier: MIT
// Test inputs that depend on the seed alone: mt19937 is fixed by the C++ standard, the transforms are written
// here.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

#include "reference/matrix.h"
#include "reference/network.h"

namespace ebm::reference {

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}

  /// Uniform in (0, 1), never either end.
  double uniform() { return (static_cast<double>(engine_()) + 0.5) / 4294967296.0; }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }

  /// N(0, 1) without the middle |x| < 0.01: no input sits on the kink of a piecewise-linear layer.
  double normal() {
    for (;;) {
      const double radius = std::sqrt(-2 * std::log(uniform()));
      const double x = radius * std::cos(2 * std::numbers::pi * uniform());
      if (std::abs(x) >= 0.01) return x;
    }
  }
  std::vector<double> normals(int64_t n) {
    std::vector<double> x;
    for (int64_t i = 0; i < n; ++i) x.push_back(normal());
    return x;
  }
  std::vector<double> uniforms(int64_t n) {
    std::vector<double> x;
    for (int64_t i = 0; i < n; ++i) x.push_back(uniform());
    return x;
  }
  Matrix<double> matrix(int64_t rows, int64_t cols) {
    return Matrix<double>(rows, cols, normals(rows * cols));
  }

 private:
  std::mt19937 engine_;
};

/// The same numbers rounded to float and back: what a float32 run and the oracle can both start from exactly.
inline std::vector<double> rounded_to_float(std::vector<double> x) {
  for (double& element : x) element = static_cast<double>(static_cast<float>(element));
  return x;
}
inline Matrix<double> rounded_to_float(Matrix<double> x) {
  x.values = rounded_to_float(std::move(x.values));
  return x;
}
inline std::vector<float> to_float(const std::vector<double>& x) {
  return std::vector<float>(x.begin(), x.end());
}

/// Numbers of sensible size for the parameters and running statistics of `layers`: weights N(0, 1/inputs)
/// with biases N(0, .25), PReLU slopes in [.1, .4], batch norm weights in [.5, 1.5], biases and running means
/// N(0, .25), variances in [.5, 2], u of spectral norms N(0, 1/outputs), logsigma in [-2, 0].
inline void append_random_numbers(Random& random, const NetworkSpec& layers, std::vector<double>& w,
                                  std::vector<double>& running) {
  const auto normals = [&](std::vector<double>& to, int64_t count, double deviation) {
    for (int64_t i = 0; i < count; ++i) to.push_back(deviation * random.normal());
  };
  const auto uniforms = [&](std::vector<double>& to, int64_t count, double from, double until) {
    for (int64_t i = 0; i < count; ++i) to.push_back(random.uniform(from, until));
  };
  for (const LayerSpec& layer : layers) {
    const ConvolutionSizes& s = layer.sizes;
    switch (layer.kind) {
      case Kind::linear:
        normals(w, layer.in * layer.out, 1 / std::sqrt(static_cast<double>(layer.in)));
        normals(w, layer.bias ? layer.out : 0, 0.5);
        normals(running, running_count(layer), 1 / std::sqrt(static_cast<double>(layer.out)));
        break;
      case Kind::convolution:
      case Kind::transposed_convolution:
        normals(w, s.weights(),
                1 / std::sqrt(static_cast<double>(s.channels * s.kernel_height * s.kernel_width)));
        normals(w, parameter_count(layer) - s.weights(), 0.5);
        normals(running, running_count(layer), 1 / std::sqrt(static_cast<double>(s.outputs)));
        break;
      case Kind::prelu:
        uniforms(w, 1, 0.1, 0.4);
        break;
      case Kind::batch_norm:
        uniforms(w, layer.in, 0.5, 1.5);
        normals(w, layer.in, 0.5);
        normals(running, layer.in, 0.5);
        uniforms(running, layer.in, 0.5, 2.0);
        break;
      case Kind::noisy_output:
        uniforms(w, 1, -2, 0);
        append_random_numbers(random, layer.left, w, running);
        break;
      case Kind::residual:
      case Kind::joined_inputs:
      case Kind::coupling:
        append_random_numbers(random, layer.left, w, running);
        append_random_numbers(random, layer.right, w, running);
        break;
      default:
        break;
    }
  }
}

/// A network with random numbers, exactly representable in float.
inline Network random_network(const NetworkSpec& layers, Statistics statistics, uint32_t seed) {
  Random random(seed);
  Network network{.layers = layers, .parameters = {}, .running = {}, .statistics = statistics};
  append_random_numbers(random, layers, network.parameters, network.running);
  network.parameters = rounded_to_float(network.parameters);
  network.running = rounded_to_float(network.running);
  return network;
}

}  // namespace ebm::reference
