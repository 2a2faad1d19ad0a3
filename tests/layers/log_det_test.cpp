// SPDX-License-Identifier: MIT
// log |det J| of maps that know it, and its gradient, against the oracle's Jacobian.
#include <gtest/gtest.h>

#include "layers/network.h"
#include "reference/bounds.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"

namespace ebm::test {
namespace {

using reference::LayerSpec;
using Rows = reference::Matrix<double>;

LayerSpec coupling(int64_t kept, int64_t moved, int64_t steps) {
  return LayerSpec::coupling(
      kept, steps,
      {LayerSpec::linear(kept, 6), LayerSpec::tanh(), LayerSpec::linear(6, moved * (3 * steps + 2))});
}

class LogDetTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int64_t batch = 5;

  void expect_oracle(const reference::NetworkSpec& spec, int64_t d) {
    const reference::Network oracle = random_network(spec, reference::Statistics::running, 12);
    Network network(*kernels_, layers_of(spec, flat(d)));
    load(*kernels_, network, oracle);
    ASSERT_TRUE(network.has_log_det());
    const Rows x = reference::rounded_to_float(random_.matrix(batch, d)),
               y_bar = reference::rounded_to_float(random_.matrix(batch, d)),
               weights = reference::rounded_to_float(random_.matrix(batch, 1));
    const Tensor x_there = on_device(*kernels_, x, flat(d)), y = unwritten(*kernels_, batch, flat(d)),
                 y_bar_there = on_device(*kernels_, y_bar, flat(d)),
                 weights_there = on_device(*kernels_, weights, flat(1));
    const auto trace = network.make_trace({.batch = batch, .statistics = Statistics::running});
    network.forward(*trace, x_there, y);

    Tensor log_det(*kernels_, batch, flat(1));
    log_det.upload(std::vector<float>(batch, 2.0f));  // it adds
    network.add_log_det(*trace, log_det.data());
    std::vector<double> expected, x_bar;
    std::vector<double> w_bar(oracle.parameters.size(), 0.0);
    for (int64_t b = 0; b < batch; ++b) {
      const std::vector<double> point = x.row(b);
      expected.push_back(2 + reference::half_log_det(oracle, point, oracle.parameters));
      const auto of_both = [&](const auto& at, const auto& w) {
        using T = typename std::decay_t<decltype(at)>::value_type;
        const auto image = oracle(reference::as_row(at), w).values;
        T sum = T(weights(b, 0)) * reference::half_log_det(oracle, at, w);
        for (size_t i = 0; i < image.size(); ++i) sum += T(y_bar(b, static_cast<int64_t>(i))) * image[i];
        return sum;
      };
      const reference::SampleGradient g = reference::sample_gradient(of_both, point, oracle.parameters);
      x_bar.insert(x_bar.end(), g.z_bar.begin(), g.z_bar.end());
      for (size_t i = 0; i < w_bar.size(); ++i) w_bar[i] += g.w_bar[i];
    }
    EXPECT_TRUE(close(log_det.download(), expected, tolerance_));

    const Tensor x_bar_there = unwritten(*kernels_, batch, flat(d));
    network.vjp_log_det(*trace, y_bar_there, weights_there.data(), x_bar_there, Gradient::overwrite);
    EXPECT_TRUE(close(x_bar_there.download(), x_bar, tolerance_));
    expect_close(network.parameters().trainable(), gradients(*kernels_, network), w_bar, tolerance_);
  }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Random random_{31};
  Tolerance tolerance_{.factor = 16, .reason = "log of a sum of steps, through several layers"};
};

TEST_P(LogDetTest, OfACoupling) {
  expect_oracle({coupling(2, 3, 3)}, 5);
}
TEST_P(LogDetTest, OfAFlow) {
  expect_oracle({coupling(1, 1, 4), coupling(1, 1, 2), coupling(1, 1, 1)}, 2);
}

TEST_P(LogDetTest, OthersDoNotKnowTheirs) {
  Network network(*kernels_, layers_of({LayerSpec::linear(2, 2)}, flat(2)));
  EXPECT_FALSE(network.has_log_det());
  const auto trace = network.make_trace({.batch = batch});
  const Tensor log_det(*kernels_, batch, flat(1));
  EXPECT_THROW(network.add_log_det(*trace, log_det.data()), Error);
}

INSTANTIATE_TEST_SUITE_P(Devices, LogDetTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
