// SPDX-License-Identifier: MIT
// What networks start from, by the user's choice.
#include "layers/initial_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "layers/linear.h"
#include "layers/network.h"
#include "models/stack.h"
#include "models/toy.h"
#include "support/devices.h"
#include "support/networks.h"

namespace ebm::test {
namespace {

class InitialValuesTest : public testing::TestWithParam<std::string> {
 protected:
  std::vector<float> values(const Network& network, const std::string& name) const {
    for (const auto* list : {&network.parameters().trainable(), &network.parameters().statistics()}) {
      for (const Parameter& p : *list) {
        if (p.name == name) return download(*kernels_, View{p.value, 1, flat(p.size)});
      }
    }
    ADD_FAILURE() << "no parameter " << name;
    return {};
  }
  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
};

/// All kinds of parameters: of linear maps, norms, and others.
std::unique_ptr<Layer> some_of_all() {
  constexpr Window window{.kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}};
  Stack stack(flat(30));
  stack.linear(Features{.height = 4, .width = 4, .channels = 20}).reshape().batch_norm(1e-5f).prelu();
  stack.transposed_convolution(window, 25).convolution(window, 30);
  return stack.build();
}

struct Moments {
  double mean, deviation;
};
Moments moments(const std::vector<float>& x) {
  const double n = static_cast<double>(x.size());
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
  double squares = 0;
  for (const float v : x) squares += (v - mean) * (v - mean);
  return {mean, std::sqrt(squares / n)};
}

/// Within five standard deviations of what N(mean, deviation^2) gives, and no smaller than that of two.
void expect_normal(const std::vector<float>& x, double mean, double deviation) {
  const double n = static_cast<double>(x.size());
  const Moments found = moments(x);
  EXPECT_LT(std::abs(found.mean - mean), 5 * deviation / std::sqrt(n));
  EXPECT_LT(std::abs(found.deviation - deviation), 5 * deviation / std::sqrt(2 * n));
  double fourth = 0;
  for (const float v : x) fourth += std::pow((v - mean) / deviation, 4) / n;
  EXPECT_LT(std::abs(fourth - 3), 5 * std::sqrt(96 / n)) << "a normal distribution's fourth moment is 3";
}

const std::vector<std::string> weights{"0.weight", "4.weight", "5.weight"},
    biases{"0.bias", "2.bias", "4.bias", "5.bias"};

TEST_P(InitialValuesTest, Normal) {
  Network network(*kernels_, some_of_all());
  network.initialize(3, 256, Initial::normal);
  for (const std::string& name : weights) {
    SCOPED_TRACE(name);
    expect_normal(values(network, name), 0, 0.02);
  }
  const std::vector<float> scale = values(network, "2.weight");
  EXPECT_LT(std::abs(moments(scale).mean - 1), 5 * 0.02 / std::sqrt(20.0));
  EXPECT_GT(moments(scale).deviation, 0.01);
  EXPECT_LT(moments(scale).deviation, 0.04);
  for (const std::string& name : biases) {
    const std::vector<float> b = values(network, name);
    EXPECT_EQ(b, std::vector<float>(b.size())) << name;
  }
  EXPECT_EQ(values(network, "3.weight"), std::vector<float>{0.25f});
  EXPECT_EQ(values(network, "2.running_var"), std::vector<float>(20, 1.0f));
}

/// The largest difference of rows (or columns, where these are fewer) from orthonormal ones.
double from_orthonormal(const std::vector<float>& w, int64_t rows, int64_t columns) {
  const bool by_rows = rows <= columns;
  const int64_t count = by_rows ? rows : columns, length = by_rows ? columns : rows;
  const auto at = [&](int64_t i, int64_t k) -> double {
    return w.at(static_cast<size_t>(by_rows ? i * columns + k : k * columns + i));
  };
  double worst = 0;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < length; ++k) sum += at(i, k) * at(j, k);
      worst = std::max(worst, std::abs(sum - (i == j ? 1 : 0)));
    }
  }
  return worst;
}

TEST_P(InitialValuesTest, Orthogonal) {
  Network network(*kernels_, some_of_all());
  network.initialize(3, 256, Initial::orthogonal);
  EXPECT_LT(from_orthonormal(values(network, "0.weight"), 320, 30), 1e-6);      // W^T W = I
  EXPECT_LT(from_orthonormal(values(network, "4.weight"), 20, 25 * 16), 1e-6);  // W W^T = I
  EXPECT_LT(from_orthonormal(values(network, "5.weight"), 30, 25 * 16), 1e-6);
  for (const std::string& name : biases) {
    const std::vector<float> b = values(network, name);
    EXPECT_EQ(b, std::vector<float>(b.size())) << name;
  }
  EXPECT_EQ(values(network, "2.weight"), std::vector<float>(20, 1.0f));
  EXPECT_EQ(values(network, "3.weight"), std::vector<float>{0.25f});

  // The sign is not always that of a first positive number: without R's signs a Q of Householder's would
  // have a negative diagonal.
  Network square(*kernels_, std::make_unique<Linear>(50, 50));
  square.initialize(1, 256, Initial::orthogonal);
  const std::vector<float> w = values(square, "weight");
  EXPECT_LT(from_orthonormal(w, 50, 50), 1e-6);
  EXPECT_LT(std::abs(moments(w).mean), 5.0 / 50 / std::sqrt(50.0));
  double trace = 0;
  for (size_t i = 0; i < 50; ++i) trace += w[51 * i];
  EXPECT_LT(std::abs(trace), 5) << "the trace of a random orthogonal matrix has variance 1";
}

TEST_P(InitialValuesTest, Glorot) {
  Network network(*kernels_, some_of_all());
  network.initialize(3, 256, Initial::glorot);
  const auto expect_bound = [&](const char* name, double squared) {
    const std::vector<float> w = values(network, name);
    const auto [least, most] = std::minmax_element(w.begin(), w.end());
    const double bound = std::sqrt(squared);
    EXPECT_LE(*most, bound) << name;
    EXPECT_GE(*least, -bound) << name;
    EXPECT_GT(*most, 0.98 * bound) << name;
    EXPECT_LT(*least, -0.98 * bound) << name;
  };
  expect_bound("0.weight", 6.0 / (320 + 30));
  expect_bound("4.weight", 12.0 / ((20 + 25) * 16));
  expect_bound("5.weight", 12.0 / ((30 + 25) * 16));
  for (const std::string& name : biases) {
    const std::vector<float> b = values(network, name);
    EXPECT_EQ(b, std::vector<float>(b.size())) << name;
  }
  EXPECT_EQ(values(network, "2.weight"), std::vector<float>(20, 1.0f));
}

TEST_P(InitialValuesTest, TheSameBitsOnEveryDeviceAndAgain) {
  const auto cpu = open_device("cpu");
  for (const Initial initial : {Initial::pytorch, Initial::normal, Initial::orthogonal, Initial::glorot}) {
    Network here(*kernels_, some_of_all()), there(*cpu, some_of_all());
    const auto start = [initial](Kernels& kernels, Network& network, uint64_t seed, uint32_t stream) {
      network.initialize(seed, stream, initial);
      return download(kernels, network.parameters().values());
    };
    const std::vector<float> first = start(*cpu, there, 5, 256);
    EXPECT_EQ(start(*kernels_, here, 5, 256), first);
    EXPECT_NE(start(*kernels_, here, 6, 256), first);
    EXPECT_NE(start(*kernels_, here, 5, 4096), first);
    EXPECT_EQ(start(*kernels_, here, 5, 256), first);
  }
}

/// Today's numbers of PyTorch's law: what a run of an older version started from.
TEST(InitialValuesOfOldTest, AreUnchanged) {
  const auto cpu = open_device("cpu");
  Network network(*cpu, toy_energy(3, OutputScale::none));
  network.initialize(1, 256);
  const std::vector<float> w = gather(*cpu, network.parameters().trainable(), network.parameters().values());
  const std::vector<float> expected{
      0.17261672f,   0.0678239688f, -0.00806884561f, 0.679356217f,  0.00107196288f,  -0.181297064f,
      0.52336061f,   -0.64034307f,  0.49129653f,     0.25f,         -0.296620548f,   -0.388192981f,
      -0.212941155f, -0.457211494f, 0.39240104f,     -0.293210298f, -0.00175494736f, 0.556285322f,
      0.339480609f,  0.395267606f,  -0.423073918f,   0.366524279f,  0.25f,           -0.311455697f,
      0.548233986f,  -0.234307617f, 0.145008475f};
  EXPECT_EQ(w, expected);
}

INSTANTIATE_TEST_SUITE_P(Devices, InitialValuesTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
