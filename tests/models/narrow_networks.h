// SPDX-License-Identifier: MIT
// Networks of few channels, held against their oracle.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "reference/derivatives.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"
#include "support/tolerance.h"

namespace ebm::test {

/// A narrow network and its oracle.
struct Narrow {
  const char* name;
  std::function<std::unique_ptr<Layer>()> make;
  reference::NetworkSpec spec;
};

/// Values and tangents agree on a device, with batch and running statistics.
inline void expect_values_and_tangents(const std::string& device, const std::vector<Narrow>& networks) {
  constexpr int64_t batch = 5;
  const auto kernels = open_device(device);
  reference::Random random(3);
  for (const Narrow& narrow : networks) {
    for (const Statistics statistics : {Statistics::running, Statistics::batch}) {
      SCOPED_TRACE(std::string(narrow.name) + (statistics == Statistics::batch ? ", batch statistics" : ""));
      const reference::Network oracle = random_network(narrow.spec, oracle_statistics(statistics), 5);
      Network network(*kernels, narrow.make());
      load(*kernels, network, oracle);
      const auto x = reference::rounded_to_float(random.matrix(batch, network.input().size())),
                 x_dot = reference::rounded_to_float(random.matrix(batch, network.input().size()));
      const Tensor x_on_device = on_device(*kernels, x, network.input()),
                   x_dot_on_device = on_device(*kernels, x_dot, network.input());
      const Tensor y = unwritten(*kernels, batch, network.output()),
                   y_dot = unwritten(*kernels, batch, network.output());
      const auto trace = network.make_trace({.batch = batch, .statistics = statistics, .tangents = 1});
      network.forward_jvp(*trace, {x_on_device, x_dot_on_device}, {y, y_dot});
      const Tolerance tolerance{.factor = 20, .reason = "float32 roundings of some twenty layers"};
      EXPECT_TRUE(close(y.download(), oracle(x).values, tolerance));
      EXPECT_TRUE(
          close(y_dot.download(), reference::jvp(oracle, x, oracle.parameters, x_dot).values, tolerance));
    }
  }
}

}  // namespace ebm::test
