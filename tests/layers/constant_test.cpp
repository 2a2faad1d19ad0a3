// SPDX-License-Identifier: MIT
#include "layers/constant.h"

#include <gtest/gtest.h>

#include "layers/linear.h"
#include "layers/network.h"
#include "support/devices.h"
#include "support/networks.h"

namespace ebm::test {
namespace {

using Rows = reference::Matrix<double>;
using Floats = std::vector<float>;

class ConstantTest : public testing::TestWithParam<std::string> {
 protected:
  Tensor rows(int64_t count, int64_t columns, const std::vector<double>& values) {
    return on_device(*kernels_, Rows(count, columns, values));
  }
  Floats c_bar() { return download(*kernels_, View{c_.gradient, 1, flat(3)}); }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  Network network_{*kernels_, std::make_unique<Constant>(flat(2), flat(3), "logsigma", 0.5f)};
  const Parameter& c_ = network_.parameters().trainable().front();
};

TEST_P(ConstantTest, HasOneParameterThatKeepsItsStart) {
  EXPECT_EQ(network_.parameters().trainable().size(), 1u);
  EXPECT_EQ(c_.name, "logsigma");
  EXPECT_EQ(c_.shape, std::vector<int64_t>{3});
  for (const Initial initial : {Initial::pytorch, Initial::normal, Initial::orthogonal}) {
    network_.initialize(1, 256, initial);
    EXPECT_EQ(download(*kernels_, View{c_.value, 1, flat(3)}), Floats(3, 0.5f));
  }
  EXPECT_EQ(Constant(flat(2), flat(3), "c", 0).narrowest("0").size, 0);
}

TEST_P(ConstantTest, AllMaps) {
  const auto trace = network_.make_trace({.batch = 2, .tangents = 1});
  upload(*kernels_, View{c_.value, 1, flat(3)}, std::vector<double>{1, -2, 4});
  const Tensor x = rows(2, 2, {1, 2, 3, 4}), y_bar = rows(2, 3, {1, 2, 3, 10, 20, 30}),
               y = unwritten(*kernels_, 2, flat(3)), y_dot = unwritten(*kernels_, 2, flat(3)),
               x_bar = unwritten(*kernels_, 2, flat(2)), x_dot_bar = unwritten(*kernels_, 2, flat(2));
  network_.forward_jvp(*trace, {x, x}, {y, y_dot});
  EXPECT_EQ(y.download(), (Floats{1, -2, 4, 1, -2, 4}));
  EXPECT_EQ(y_dot.download(), Floats(6, 0.0f));
  network_.vjp(*trace, y_bar, x_bar, Gradient::overwrite);
  EXPECT_EQ(x_bar.download(), Floats(4, 0.0f));
  EXPECT_EQ(c_bar(), (Floats{11, 22, 33}));
  network_.vjp(*trace, y_bar, {}, Gradient::accumulate);
  EXPECT_EQ(c_bar(), (Floats{22, 44, 66}));
  network_.vjp(*trace, y_bar, {}, Gradient::ignore);
  EXPECT_EQ(c_bar(), (Floats{22, 44, 66}));
  network_.vjp_of_jvp(*trace, {y_bar, y_bar}, {{}, x_dot_bar}, Gradient::overwrite);
  EXPECT_EQ(c_bar(), (Floats{11, 22, 33})) << "of the values alone";
  EXPECT_EQ(x_dot_bar.download(), Floats(4, 0.0f));
  network_.vjp_of_jvp(*trace, {{}, y_bar}, {{}, x_dot_bar}, Gradient::accumulate);
  EXPECT_EQ(c_bar(), (Floats{11, 22, 33}));
  network_.vjp_of_jvp(*trace, {{}, y_bar}, {{}, x_dot_bar}, Gradient::overwrite);
  EXPECT_EQ(c_bar(), Floats(3, 0.0f));
  const Tensor shares = rows(2, 1, {2, 0.5});
  network_.vjp_shared(*trace, y_bar, {shares.data(), shares.data()}, {}, Gradient::overwrite);
  EXPECT_EQ(c_bar(), (Floats{7, 14, 21}));
  network_.vjp_shared(*trace, y_bar, {nullptr, shares.data()}, {}, Gradient::overwrite);
  EXPECT_EQ(c_bar(), Floats(3, 0.0f));
}

TEST_P(ConstantTest, InBfloat16) {
  const auto trace = network_.make_trace({.batch = 2, .precision = Precision::bfloat16});
  network_.initialize(1, 256);
  network_.round_parameters();
  const Tensor x = rows(2, 2, {1, 2, 3, 4}), y_bar = rows(2, 3, {1, 2, 3, 4, 5, 6}),
               y = unwritten(*kernels_, 2, flat(3));
  network_.forward(*trace, x, y);
  EXPECT_EQ(y.download(), Floats(6, 0.5f));
  network_.vjp(*trace, y_bar, {}, Gradient::overwrite);
  EXPECT_EQ(c_bar(), (Floats{5, 7, 9}));
}

INSTANTIATE_TEST_SUITE_P(Devices, ConstantTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
