// SPDX-License-Identifier: MIT
// Generators and energies beside their oracles, as the tests of the bounds use them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bounds/entropy_bound.h"
#include "reference/ebm_bb.h"
#include "reference/image_networks.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"
#include "support/tolerance.h"

namespace ebm::test {

using Rows = reference::Matrix<double>;

/// What the generator ends with: without a tanh its Jacobian is piecewise constant.
enum class Output { linear, tanh };

inline reference::Network generator_oracle(int64_t d, int64_t hidden, int64_t D, Output output) {
  reference::NetworkSpec spec = reference::table6_generator(d, hidden, D);
  if (output == Output::tanh) spec.push_back(reference::LayerSpec::tanh());
  return random_network(spec, reference::Statistics::running, 3);
}

/// The network of `oracle` on a device.
inline std::unique_ptr<Network> network_of(Kernels& kernels, const reference::Network& oracle,
                                           int64_t inputs) {
  auto network = std::make_unique<Network>(kernels, layers_of(oracle.layers, flat(inputs)));
  load(kernels, *network, oracle);
  return network;
}

/// The largest s_d / s_1 of the Jacobians at the rows of z: how much float32 roundings of J grow in log s1.
inline double worst_condition(const reference::Network& generator, const Rows& z) {
  double worst = 1;
  for (int64_t i = 0; i < z.rows; ++i) {
    const auto s = reference::svd(jacobian(generator, z.row(i), generator.parameters)).values;
    worst = std::max(worst, s.back() / s.front());
  }
  return worst;
}

/// A generator of d hidden features, of which the last linear map has the condition number kappa and those
/// before keep all lengths. (J has kappa times what PReLUs and batch norms add.) So what rounds a tangent
/// anywhere by 1 / kappa of it moves s_1 by as much as s_1 is.
inline reference::Network generator_of_condition(int64_t d, int64_t D, Output output, double kappa) {
  reference::Network generator = generator_oracle(d, d, D, output);
  reference::Random random(6);
  auto weights = generator.parameters.begin();
  for (const reference::LayerSpec& layer : generator.layers) {
    if (layer.kind == reference::Kind::linear) {
      const bool last = layer.out == D;
      const Rows w = last ? matrix_with_spectrum(reference::spectrum("geo", d, kappa), D, random)
                          : reference::random_orthonormal(layer.out, layer.in, random);
      std::copy(w.values.begin(), w.values.end(), weights);
    }
    weights += parameter_count(layer);
  }
  generator.parameters = reference::rounded_to_float(generator.parameters);
  return generator;
}

/// A generator of images of 4 x 4 x 4, all convolutions with channels that tensor cores take.
inline reference::Network convolutional_generator(int64_t d, Output output) {
  using reference::LayerSpec;
  const auto doubling = [](int64_t side) {
    return LayerSpec::transposed_convolution(reference::square_window(2 * side, 4, 4, 4, 2));
  };
  reference::NetworkSpec spec{LayerSpec::linear(d, 4),
                              reference::leaky01(),
                              doubling(1),
                              LayerSpec::batch_norm(4),
                              reference::leaky01(),
                              doubling(2),
                              reference::leaky01(),
                              reference::square_convolution(4, 4, 4, 3)};
  if (output == Output::tanh) spec.push_back(LayerSpec::tanh());
  reference::Network generator = random_network(spec, reference::Statistics::running, 3);
  // Larger images, and so more of the tanh's curvature.
  for (int64_t i = 0; i < 4 * 4 * 9; ++i) *(generator.parameters.end() - 5 - i) *= 4;
  return generator;
}
constexpr int64_t convolutional_range = 4 * 4 * 4;

inline Rows random_rows(reference::Random& random, int64_t rows, int64_t columns) {
  return rounded_to_float(random.matrix(rows, columns));
}

/// `values` with a bad number in one row.
inline Rows spoiled(Rows values, int64_t row, double bad) {
  values(row, values.cols / 2) = bad;
  return values;
}

}  // namespace ebm::test
