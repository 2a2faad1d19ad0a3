// SPDX-License-Identifier: MIT
// Networks as a whole: pass counts, initial values, names, and compositions that make no sense.
#include "layers/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "layers/batch_norm.h"
#include "layers/convolution.h"
#include "layers/linear.h"
#include "layers/pooling.h"
#include "layers/prelu.h"
#include "layers/residual.h"
#include "layers/tanh.h"
#include "layers/transposed_convolution.h"
#include "models/stack.h"
#include "models/toy.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"

namespace ebm::test {
namespace {

class NetworkTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
};

std::vector<std::unique_ptr<Layer>> layers(std::unique_ptr<Layer> first, std::unique_ptr<Layer> second) {
  std::vector<std::unique_ptr<Layer>> both;
  both.push_back(std::move(first));
  both.push_back(std::move(second));
  return both;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

/// { forward, input_gradient, weight_gradient }
std::vector<int64_t> counts(const Network& network) {
  const PassCounts& p = network.passes();
  EXPECT_EQ(p.total(), p.forward + p.input_gradient + p.weight_gradient);
  return {p.forward, p.input_gradient, p.weight_gradient};
}

TEST_P(NetworkTest, CountsRows) {
  constexpr int64_t batch = 5, samples = 3, k = 2;
  using Counts = std::vector<int64_t>;
  for (const bool curved : {false, true}) {
    std::unique_ptr<Layer> activation = std::make_unique<PreluLayer>(flat(4));
    if (curved) activation = std::make_unique<TanhLayer>(flat(4));
    Network network(*kernels_, sequential(layers(std::make_unique<Linear>(3, 4), std::move(activation))));
    const auto trace = network.make_trace({.batch = batch, .tangents = k, .tangent_samples = samples});
    const Tensor x(*kernels_, batch, flat(3)), x_dot(*kernels_, k * samples, flat(3)),
        y(*kernels_, batch, flat(4)), y_dot(*kernels_, k * samples, flat(4)),
        weights(*kernels_, batch, flat(1));
    const auto expect = [&](const Counts& expected) {
      EXPECT_EQ(counts(network), expected) << (curved ? "curved" : "piecewise linear");
      network.reset_passes();
      EXPECT_EQ(network.passes().total(), 0);
    };
    network.forward(*trace, x, y);
    expect({batch, 0, 0});
    network.jvp(*trace, x_dot, y_dot);
    expect({k * samples, 0, 0});
    network.forward_jvp(*trace, {x, x_dot}, {y, y_dot});
    expect({batch + k * samples, 0, 0});
    network.vjp(*trace, y, x, Gradient::ignore);
    expect({0, batch, 0});
    network.vjp(*trace, y, {}, Gradient::accumulate);
    expect({0, batch, batch});
    network.vjp_of_jvp(*trace, {y, y_dot}, {x, x_dot}, Gradient::overwrite);
    expect({0, batch + k * samples, batch + k * samples});
    // the values' chain carries nothing in a piecewise linear network
    const int64_t values = curved ? batch : 0;
    network.vjp_of_jvp(*trace, {{}, y_dot}, {}, Gradient::overwrite);
    expect({0, values + k * samples, values + k * samples});
    network.vjp_of_jvp(*trace, {{}, y_dot}, {}, Gradient::ignore);
    expect({0, values + k * samples, 0});
    if (!curved) {
      network.jvp(*trace, x_dot.row_range(0, samples), y_dot.row_range(0, samples));
      network.reset_passes();
      network.vjp_shared(*trace, y, {weights.data(), weights.data()}, {}, Gradient::overwrite);
      expect({0, batch, batch});
      network.vjp_shared(*trace, y, {weights.data(), weights.data()}, x, Gradient::ignore);
      expect({0, batch, 0});
    }
  }
}

TEST_P(NetworkTest, WhatAPiecewiseLinearNetworkCannotBeAsked) {
  constexpr int64_t batch = 5;
  Network network(*kernels_, toy_energy(7, OutputScale::none));
  const auto trace = network.make_trace({.batch = batch, .tangents = 2});
  const Tensor x(*kernels_, batch, flat(2)), x_dot(*kernels_, 2 * batch, flat(2)),
      y(*kernels_, batch, flat(1)), y_dot(*kernels_, 2 * batch, flat(1)), weights(*kernels_, batch, flat(1));
  network.forward(*trace, x, y);
  network.jvp(*trace, x_dot, y_dot);
  const auto part = network.make_trace({.batch = batch, .tangents = 1, .tangent_samples = batch - 1});
  network.forward(*part, x, y);
  const auto shared = [&](const SharedWeights& factors) {
    return message_of([&] { network.vjp_shared(*part, y, factors, {}, Gradient::ignore); });
  };
  EXPECT_NE(shared({weights.data(), weights.data()}).find("needs a jvp first"), std::string::npos);
  network.jvp(*part, x_dot.row_range(0, batch - 1), y_dot.row_range(0, batch - 1));
  EXPECT_EQ(shared({weights.data(), weights.data()}), "no Error");
  EXPECT_NE(shared({nullptr, weights.data()}).find("without tangents need factors"), std::string::npos);
  const std::string zero = message_of([&] {
    network.vjp_of_jvp(*trace, {{}, y_dot}, {x, {}}, Gradient::ignore);
  });
  EXPECT_NE(zero.find("is zero; ask for none"), std::string::npos) << zero;
}

TEST_P(NetworkTest, InitialValuesFollowPyTorchsLaw) {
  constexpr int64_t in = 50, out = 400;
  Network network(*kernels_, std::make_unique<Linear>(in, out));
  network.initialize(11, 300);
  const Parameters& parameters = network.parameters();
  const float bound = 1 / std::sqrt(static_cast<float>(in));
  for (const Parameter& p : parameters.trainable()) {
    const std::vector<float> w = download(*kernels_, Parameters::part(parameters.values(), p));
    const double n = static_cast<double>(w.size());
    const double mean = std::accumulate(w.begin(), w.end(), 0.0) / n;
    const double square = std::inner_product(w.begin(), w.end(), w.begin(), 0.0) / n;
    const auto [least, most] = std::minmax_element(w.begin(), w.end());
    EXPECT_GE(*least, -bound) << p.name;
    EXPECT_LE(*most, bound) << p.name;
    EXPECT_LT(*least, -0.95f * bound) << p.name;
    EXPECT_GT(*most, 0.95f * bound) << p.name;
    // five standard deviations of the mean of U(-b, b), and of its square's mean
    EXPECT_LT(std::abs(mean), 5 * bound / std::sqrt(3 * n)) << p.name;
    EXPECT_LT(std::abs(square / (bound * bound) - 1.0 / 3), 5 * std::sqrt(4.0 / 45 / n)) << p.name;
  }
  const std::vector<float> weight =
      download(*kernels_, Parameters::part(parameters.values(), parameters.trainable()[0]));
  const std::vector<float> bias =
      download(*kernels_, Parameters::part(parameters.values(), parameters.trainable()[1]));
  EXPECT_FALSE(std::equal(bias.begin(), bias.end(), weight.begin())) << "each parameter has noise of its own";
}

TEST_P(NetworkTest, EveryParameterStartsOn64Bytes) {
  Network network(*kernels_, toy_generator(3, 7));
  const Parameters& parameters = network.parameters();
  for (const auto* list : {&parameters.trainable(), &parameters.statistics()}) {
    EXPECT_GT(list->size(), 3u);
    for (const Parameter& p : *list) EXPECT_EQ(reinterpret_cast<uintptr_t>(p.value) % 64, 0u) << p.name;
  }
  for (const Parameter& p : parameters.trainable()) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(Parameters::part(parameters.gradients(), p).data) % 64, 0u)
        << p.name;
  }
}

TEST_P(NetworkTest, InitialConstants) {
  Network network(*kernels_, toy_generator(2, 5));
  network.initialize(1, 1);
  const Parameters& parameters = network.parameters();
  const auto value = [&](const std::string& name) {
    for (const auto* list : {&parameters.trainable(), &parameters.statistics()}) {
      for (const Parameter& p : *list) {
        if (p.name == name) return download(*kernels_, View{p.value, 1, flat(p.size)});
      }
    }
    return std::vector<float>{};
  };
  const auto all = [](float x) { return std::vector<float>(5, x); };
  EXPECT_EQ(value("main.1.weight"), std::vector<float>{0.25f});
  EXPECT_EQ(value("main.2.weight"), all(1));
  EXPECT_EQ(value("main.2.bias"), all(0));
  EXPECT_EQ(value("main.5.running_mean"), all(0));
  EXPECT_EQ(value("main.5.running_var"), all(1));
}

TEST_P(NetworkTest, InitialValuesDependOnSeedAndStreamAlone) {
  Network network(*kernels_, toy_energy(9, OutputScale::learned));
  const Parameters& parameters = network.parameters();
  const auto values = [&](uint64_t seed, uint32_t stream) {
    // traces of an earlier life: all must go
    const View gradients = parameters.gradients();
    upload(*kernels_, gradients, std::vector<double>(static_cast<size_t>(gradients.size()), 3));
    network.initialize(seed, stream);
    EXPECT_EQ(download(*kernels_, gradients), std::vector<float>(static_cast<size_t>(gradients.size())));
    return download(*kernels_, parameters.values());
  };
  const std::vector<float> first = values(5, 256);
  EXPECT_NE(values(6, 256), first);
  EXPECT_NE(values(5, 4096), first);
  EXPECT_EQ(values(5, 256), first);
  const auto cpu = open_device("cpu");
  Network same(*cpu, toy_energy(9, OutputScale::learned));
  same.initialize(5, 256);
  EXPECT_EQ(download(*cpu, same.parameters().values()), first) << "on another device";
}

TEST_P(NetworkTest, ToyNetworksHavePyTorchsNamesAndShapes) {
  const auto listed = [](const std::deque<Parameter>& parameters) {
    std::string text;
    for (const Parameter& p : parameters) {
      text += p.name;
      for (const int64_t extent : p.shape) text += " " + std::to_string(extent);
      text += "\n";
    }
    return text;
  };
  const Network energy(*kernels_, toy_energy(100, OutputScale::learned));
  EXPECT_EQ(listed(energy.parameters().trainable()),
            "main.0.weight 100 2\nmain.0.bias 100\nmain.1.weight 1\nmain.2.weight 100 100\nmain.2.bias 100\n"
            "main.3.weight 1\nmain.4.weight 1 100\nmain.4.bias 1\nl.weight 1 1\n");
  EXPECT_EQ(listed(energy.parameters().statistics()), "");
  const Network generator(*kernels_, toy_generator(3, 50));
  EXPECT_EQ(listed(generator.parameters().trainable()),
            "main.0.weight 50 3\nmain.0.bias 50\nmain.1.weight 1\nmain.2.weight 50\nmain.2.bias 50\n"
            "main.3.weight 50 50\nmain.3.bias 50\nmain.4.weight 1\nmain.5.weight 50\nmain.5.bias 50\n"
            "main.6.weight 2 50\nmain.6.bias 2\n");
  EXPECT_EQ(listed(generator.parameters().statistics()),
            "main.2.running_mean 50\nmain.2.running_var 50\nmain.5.running_mean 50\nmain.5.running_var 50\n");
}

TEST_P(NetworkTest, CompositionsThatMakeNoSense) {
  EXPECT_NE(message_of([] { sequential({}); }).find("at least one layer"), std::string::npos);
  const std::string mismatch =
      message_of([] { sequential(layers(std::make_unique<Linear>(3, 4), std::make_unique<Linear>(5, 1))); });
  for (const char* part : {"'0'", "'1'", "1x1x4", "1x1x5"})
    EXPECT_NE(mismatch.find(part), std::string::npos) << mismatch;
  const std::string sides = message_of([] {
    Residual({"left", std::make_unique<Linear>(3, 4)}, {"right", std::make_unique<Linear>(3, 5)});
  });
  for (const char* part : {"'left'", "'right'", "1x1x4", "1x1x5"})
    EXPECT_NE(sides.find(part), std::string::npos) << sides;
  const std::string keeps = message_of([] {
    Residual({"left", std::make_unique<Linear>(3, 3)}, {"right", std::make_unique<TanhLayer>(flat(3))});
  });
  EXPECT_NE(keeps.find("'right' keeps its output"), std::string::npos) << keeps;
  const std::string twice = message_of([&] {
    std::vector<Sequential::Child> children;
    children.push_back({"a", std::make_unique<Linear>(3, 3)});
    children.push_back({"a", std::make_unique<Linear>(3, 3)});
    Network(*kernels_, std::make_unique<Sequential>(std::move(children)));
  });
  EXPECT_NE(twice.find("'a.weight'"), std::string::npos) << twice;
}

TEST_P(NetworkTest, ImagesThatAreTooSmall) {
  const Features image{.height = 2, .width = 3, .channels = 1};
  const auto expect = [](const char* part, const std::function<void()>& call) {
    const std::string text = message_of(call);
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect("must fit into the padded image", [&] {
    Convolution(image, 1, {.kernel = {3, 3}, .padding = {0, 1}});
  });
  expect("use less padding", [] {
    TransposedConvolution({.height = 1, .width = 1, .channels = 1}, 1, {.kernel = {2, 2}, .padding = {1, 1}});
  });
  expect("do not fit", [&] { AveragePool(image, {3, 1}); });
  expect("no order in PyTorch's files", [&] { Linear(image, image); });
}

/// With the batch's statistics y does not depend on the bias before: its gradient is no rounding noise.
TEST_P(NetworkTest, TheGradientOfABiasBeforeABatchNormIsExactlyZero) {
  constexpr int64_t batch = 7;
  Network network(*kernels_, Stack(flat(5)).linear(4).batch_norm(1e-5f).build());
  network.initialize(3, 300);
  reference::Random random(2);
  const auto rows = [&](int64_t columns) { return on_device(*kernels_, random.matrix(batch, columns)); };
  const Tensor x = rows(5), x_dot = rows(5), y_bar = rows(4), y_dot_bar = rows(4),
               y(*kernels_, batch, flat(4)), y_dot(*kernels_, batch, flat(4));
  const Parameters& parameters = network.parameters();
  const Parameter& bias = parameters.trainable()[1];
  ASSERT_EQ(bias.name, "0.bias");
  const auto gradient = [&] { return download(*kernels_, Parameters::part(parameters.gradients(), bias)); };
  const auto trace = network.make_trace({.batch = batch, .statistics = Statistics::batch, .tangents = 1});
  network.forward(*trace, x, y);
  network.jvp(*trace, x_dot, y_dot);
  for (const Gradient mode : {Gradient::overwrite, Gradient::accumulate}) {
    const float before = mode == Gradient::overwrite ? float_nan : 0.25f;
    const std::vector<float> expected(4, mode == Gradient::overwrite ? 0.0f : before);
    const auto reset = [&] {
      kernels_->upload(bias.gradient, std::vector<float>(4, before).data(), 4 * sizeof(float));
    };
    reset();
    network.vjp(*trace, y_bar, {}, mode);
    EXPECT_EQ(gradient(), expected);
    reset();
    network.vjp_of_jvp(*trace, {y_bar, y_dot_bar}, {}, mode);
    EXPECT_EQ(gradient(), expected);
  }
}

TEST_P(NetworkTest, BatchStatisticsNeedABatch) {
  Network vectors(*kernels_, std::make_unique<BatchNorm>(flat(4)));
  const auto make = [](Network& network, const TraceOptions& options) {
    return message_of([&] { network.make_trace(options); });
  };
  EXPECT_NE(make(vectors, {.batch = 1}).find("larger batch"), std::string::npos);
  EXPECT_EQ(make(vectors, {.batch = 1, .statistics = Statistics::running}), "no Error");
  EXPECT_NE(make(vectors, {.batch = 4, .tangents = 1, .tangent_samples = 2}).find("couples all samples"),
            std::string::npos);
  Network images(*kernels_, std::make_unique<BatchNorm>(Features{.height = 1, .width = 2, .channels = 4}));
  EXPECT_EQ(make(images, {.batch = 1}), "no Error");
}

/// Linear layers one after the other, of these sizes.
std::unique_ptr<Layer> chain(const std::vector<int64_t>& sizes) {
  std::vector<std::unique_ptr<Layer>> all;
  for (size_t i = 1; i < sizes.size(); ++i) all.push_back(std::make_unique<Linear>(sizes[i - 1], sizes[i]));
  return sequential(std::move(all));
}

TEST(NarrowestTest, IsTheRankThatShapesAllow) {
  const auto narrowest = [](std::unique_ptr<Layer> layer) {
    const Narrowest found = layer->narrowest("main");
    return std::pair{found.size, found.where};
  };
  using Found = std::pair<int64_t, std::string>;
  EXPECT_EQ(narrowest(std::make_unique<Linear>(7, 5)), (Found{5, "main"}));
  EXPECT_EQ(narrowest(std::make_unique<TanhLayer>(flat(7))), (Found{7, "main"}));
  EXPECT_EQ(narrowest(chain({7, 9, 4, 6, 4, 8})), (Found{4, "main.1"})) << "the first of several";
  EXPECT_EQ(narrowest(chain({7, 9, 8, 3})), (Found{3, "main.2"}));
  const Features image{.height = 2, .width = 2, .channels = 3};
  EXPECT_EQ(narrowest(std::make_unique<AveragePool>(image, Extent{2, 2})), (Found{3, "main"}));
  EXPECT_EQ(narrowest(std::make_unique<Upsample>(image, Extent{2, 2})), (Found{12, "main"}));
  EXPECT_EQ(narrowest(std::make_unique<Convolution>(image, 2, Window{.kernel = {1, 1}})), (Found{8, "main"}));
}

TEST(NarrowestTest, SidesOfAResidualBlockAddUp) {
  const auto block = [](int64_t left, int64_t right) {
    std::vector<Sequential::Child> children;
    children.push_back({"before", std::make_unique<Linear>(9, 10)});
    children.push_back(
        {"block", std::make_unique<Residual>(Sequential::Child{"left", chain({10, left, 20})},
                                             Sequential::Child{"right", chain({10, right, 20})})});
    const Narrowest found = Sequential(std::move(children)).narrowest({});
    return std::pair{found.size, found.where};
  };
  using Found = std::pair<int64_t, std::string>;
  EXPECT_EQ(block(2, 3), (Found{5, "block"}));
  EXPECT_EQ(block(1, 30), (Found{9, "before"}));
  EXPECT_EQ(block(4, 5), (Found{9, "before"}));
  EXPECT_EQ(block(4, 4), (Found{8, "block"}));
}

INSTANTIATE_TEST_SUITE_P(Devices, NetworkTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
