// SPDX-License-Identifier: MIT
// A network on a device and its oracle, from one list of layers and one set of numbers.
#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "layers/network.h"
#include "reference/network.h"
#include "support/tolerance.h"

namespace ebm::test {

/// The layers of `spec` for samples of shape `input`: one alone, or a Sequential that names them "0", "1",
/// ...
std::unique_ptr<Layer> layers_of(const reference::NetworkSpec& spec, const Features& input);

/// Statistics as the oracle calls them.
inline reference::Statistics oracle_statistics(Statistics statistics) {
  return statistics == Statistics::batch ? reference::Statistics::batch : reference::Statistics::running;
}

/// The parts of a flat buffer of `network` one after the other, without the padding, each in PyTorch's order:
/// the oracle's order.
std::vector<float> gather(Kernels& kernels, const std::deque<Parameter>& parameters, View flat_buffer);
void scatter(Kernels& kernels, const std::deque<Parameter>& parameters, View flat_buffer,
             const std::vector<double>& values);

inline std::vector<float> gradients(Kernels& kernels, const Network& network) {
  return gather(kernels, network.parameters().trainable(), network.parameters().gradients());
}
inline std::vector<float> running_statistics(Kernels& kernels, const Network& network) {
  return gather(kernels, network.parameters().statistics(), network.parameters().statistics_values());
}
/// Holds gathered numbers against the oracle's, parameter by parameter; an error counts beside at least a
/// hundredth of the largest number of all.
void expect_close(const std::deque<Parameter>& parameters, const std::vector<float>& actual,
                  const std::vector<double>& expected, Tolerance tolerance);
/// Gives `network` the oracle's parameters and running statistics.
void load(Kernels& kernels, Network& network, const reference::Network& oracle);

/// Host -> device, rounded to float32.
void upload(Kernels& kernels, View to, const std::vector<double>& values);
inline void upload(Kernels& kernels, View to, const reference::Matrix<double>& values) {
  upload(kernels, to, values.values);
}
Tensor on_device(Kernels& kernels, const reference::Matrix<double>& values, const Features& features);
inline Tensor on_device(Kernels& kernels, const reference::Matrix<double>& values) {
  return on_device(kernels, values, flat(values.cols));
}

inline constexpr float float_nan = std::numeric_limits<float>::quiet_NaN();

/// A tensor full of NaN: an element that nobody writes fails every comparison.
Tensor unwritten(Kernels& kernels, int64_t rows, const Features& features);

}  // namespace ebm::test
