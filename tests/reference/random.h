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

/// A network with random numbers of sensible size, exactly representable in float: linear N(0, 1/in) with
/// biases N(0, .25), PReLU slopes in [.1, .4], batch norm weights in [.5, 1.5], biases and running means N(0,
/// .25), variances in [.5, 2].
inline Network random_network(const NetworkSpec& layers, Statistics statistics, uint32_t seed) {
  Random random(seed);
  Network network{.layers = layers, .parameters = {}, .running = {}, .statistics = statistics};
  std::vector<double>& w = network.parameters;
  for (const LayerSpec& layer : layers) {
    if (layer.kind == Kind::linear) {
      for (int64_t i = 0; i < layer.in * layer.out; ++i)
        w.push_back(random.normal() / std::sqrt(static_cast<double>(layer.in)));
      for (int64_t i = 0; layer.bias && i < layer.out; ++i) w.push_back(0.5 * random.normal());
    } else if (layer.kind == Kind::prelu) {
      w.push_back(random.uniform(0.1, 0.4));
    } else if (layer.kind == Kind::batch_norm) {
      for (int64_t i = 0; i < layer.in; ++i) w.push_back(random.uniform(0.5, 1.5));
      for (int64_t i = 0; i < layer.in; ++i) w.push_back(0.5 * random.normal());
      for (int64_t i = 0; i < layer.in; ++i) network.running.push_back(0.5 * random.normal());
      for (int64_t i = 0; i < layer.in; ++i) network.running.push_back(random.uniform(0.5, 2.0));
    }
  }
  w = rounded_to_float(w);
  network.running = rounded_to_float(network.running);
  return network;
}

}  // namespace ebm::reference
