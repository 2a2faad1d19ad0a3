// SPDX-License-Identifier: MIT
// Networks that are only evaluated: averages of windows that overlap, branches side by side, and traces that keep
// nothing.
#include "io/io_fixture.h"
#include "layers/branches.h"
#include "layers/max_pool.h"
#include "layers/network.h"
#include "layers/overlapping_average.h"
#include "models/stack.h"
#include "reference/pooling.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 3;
constexpr TraceOptions evaluation{
    .batch = batch, .statistics = Statistics::running, .precision = Precision::full, .kept = Kept::nothing};

class EvaluationLayersTest : public testing::TestWithParam<std::string> {
 protected:
  std::vector<float> forward(Network& network, const Tensor& x, const TraceOptions& options = evaluation) {
    const auto trace = network.make_trace(options);
    const Tensor y = unwritten(*kernels_, x.rows(), network.output());
    network.forward(*trace, x, y);
    return y.download();
  }
  std::unique_ptr<Network> network(std::unique_ptr<Layer> layer) {
    auto result = std::make_unique<Network>(*kernels_, std::move(layer));
    result->initialize(7, 256);
    return result;
  }
  Tensor images(const Features& features) {
    return on_device(*kernels_, random_.matrix(batch, features.size()), features);
  }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Random random_{21};
};

TEST_P(EvaluationLayersTest, AveragesDoNotCountPadding) {
  struct Case {
    Features image;
    Window window;
  };
  const Case cases[] = {{{7, 5, 3}, {.kernel = {3, 3}, .padding = {1, 1}}},
                        {{7, 6, 4}, {.kernel = {3, 3}, .padding = {1, 1}}},
                        {{8, 9, 5}, {.kernel = {3, 3}, .stride = {2, 2}}},
                        {{6, 7, 8}, {.kernel = {5, 2}, .stride = {1, 3}, .padding = {2, 1}}},
                        {{1, 1, 4}, {.kernel = {3, 3}, .padding = {1, 1}}}};
  for (const auto& [image, window] : cases) {
    const auto average = network(std::make_unique<OverlappingAverage>(image, window));
    const Tensor x = images(image);
    const std::vector<float> values = x.download();
    reference::Matrix<double> in(batch, image.size());
    in.values.assign(values.begin(), values.end());
    const reference::ConvolutionSizes sizes{.height = image.height,
                                            .width = image.width,
                                            .channels = image.channels,
                                            .kernel_height = window.kernel.height,
                                            .kernel_width = window.kernel.width,
                                            .stride_height = window.stride.height,
                                            .stride_width = window.stride.width,
                                            .padding_height = window.padding.height,
                                            .padding_width = window.padding.width};
    EXPECT_TRUE(close(forward(*average, x), reference::apply_overlapping_average(sizes, in).values));
  }
}

/// Each pixel has the channels of one branch after those of another.
std::vector<float> side_by_side(const std::vector<std::vector<float>>& parts, int64_t pixels) {
  std::vector<float> all;
  for (int64_t p = 0; p < pixels; ++p) {
    for (const std::vector<float>& part : parts) {
      const int64_t channels = std::ssize(part) / pixels;
      all.insert(all.end(), part.begin() + p * channels, part.begin() + (p + 1) * channels);
    }
  }
  return all;
}

constexpr Features picture{.height = 6, .width = 5, .channels = 3};
constexpr Window same_3{.kernel = {3, 3}, .padding = {1, 1}};

std::unique_ptr<Layer> named(const char* name, std::unique_ptr<Layer> layer) {
  return network_of(name, std::move(layer));
}

TEST_P(EvaluationLayersTest, BranchesLieSideBySide) {
  for (const int64_t wide : {3, 8}) {
    // A convolution with its own ReLU, one whose bias and leaky ReLU the join adds, pooled values as they are, and a
    // convolution whose values are averaged before the join adds its bias.
    const auto convolution = [&](Activation activation) {
      return std::make_unique<Convolution>(picture, wide, same_3, activation);
    };
    std::vector<Branches::Branch> branches;
    branches.push_back({.layer = named("own", convolution(relu))});
    auto left = convolution({});
    AffineLayer* last = left.get();
    branches.push_back(
        {.layer = named("left", std::move(left)), .last = last, .activation = leaky_relu(0.25f)});
    branches.push_back({.layer = std::make_unique<MaxPool>(picture, same_3)});
    auto averaged = convolution({});
    last = averaged.get();
    const Features wide_picture = averaged->output();
    branches.push_back({.layer = network_of("averaged", std::move(averaged), "pool",
                                            std::make_unique<OverlappingAverage>(wide_picture, same_3)),
                        .last = last,
                        .activation = relu});
    const auto joined = network(std::make_unique<Branches>(std::move(branches)));
    EXPECT_EQ(joined->output(), (Features{6, 5, 3 * wide + 3}));

    const Tensor x = images(picture);
    // The same layers alone, the average before its convolution, with the same numbers.
    std::vector<std::vector<float>> parts;
    const auto& parameters = joined->parameters().trainable();
    const auto alone = [&](size_t first, Activation activation, const Tensor& of) {
      const auto one = network(std::make_unique<Convolution>(picture, wide, same_3, activation));
      for (size_t i = 0; i < 2; ++i) {
        const Parameter &to = one->parameters().trainable()[i], &from = parameters[first + i];
        kernels_->copy(to.value, from.value, from.size * static_cast<int64_t>(sizeof(float)));
      }
      return forward(*one, of);
    };
    EXPECT_EQ(parameters[2].name, "left.weight");
    parts.push_back(alone(0, relu, x));
    parts.push_back(alone(2, leaky_relu(0.25f), x));
    parts.push_back(forward(*network(std::make_unique<MaxPool>(picture, same_3)), x));
    const std::vector<float> found = forward(*joined, x);
    EXPECT_TRUE(close(found, forward(*joined, x, {.batch = batch, .precision = Precision::full})));
    // Of the last branch, which has more ways to round, by itself.
    const int64_t pixels = batch * picture.pixels(), columns = joined->output().channels;
    std::vector<float> first_three, fourth;
    for (int64_t p = 0; p < pixels; ++p) {
      const auto row = found.begin() + p * columns;
      first_three.insert(first_three.end(), row, row + columns - wide);
      fourth.insert(fourth.end(), row + columns - wide, row + columns);
    }
    EXPECT_TRUE(close(first_three, side_by_side(parts, pixels)));
    const std::vector<float> linear = alone(4, {}, x);
    Tensor values(*kernels_, batch, wide_picture);
    values.upload(linear);
    std::vector<float> expected =
        forward(*network(std::make_unique<OverlappingAverage>(wide_picture, same_3)), values);
    for (float& y : expected) y = std::max(y, 0.0f);
    EXPECT_TRUE(close(fourth, expected));
  }
}

TEST_P(EvaluationLayersTest, TheyHaveNoDerivatives) {
  const auto average = network(std::make_unique<OverlappingAverage>(picture, same_3));
  const Tensor x = images(picture), y = images(picture);
  const auto trace = average->make_trace({.batch = batch, .tangents = 1, .precision = Precision::full});
  average->forward(*trace, x, y);
  const auto expect = [](auto&& call) { EXPECT_HAS(error_of(call), "has no derivatives"); };
  expect([&] { average->jvp(*trace, x, y); });
  expect([&] { average->vjp(*trace, y, x, Gradient::ignore); });
  expect([&] { average->vjp_of_jvp(*trace, {y, y}, {x, x}, Gradient::ignore); });
  EXPECT_HAS(error_of([&] { average->make_trace({.batch = batch, .precision = Precision::bfloat16}); }),
             "computes with float32 alone");
}

/// A network of every kind of row.
std::unique_ptr<Layer> several_layers() {
  Stack stack(picture);
  stack.convolution(same_3, 4, relu).max_pool({.kernel = {2, 2}, .stride = {2, 2}});
  Stack left = stack.side();
  left.batch_norm(1e-5f, relu).convolution(same_3, 4);
  stack.residual(std::move(left)).linear(7).prelu().linear(5).tanh();
  return stack.build();
}

TEST_P(EvaluationLayersTest, ATraceThatKeepsNothingGivesTheSame) {
  const auto one = network(several_layers());
  const Tensor x = images(picture);
  TraceOptions keeping = evaluation;
  keeping.kept = Kept::for_derivatives;
  const std::vector<float> expected = forward(*one, x, keeping);
  EXPECT_EQ(forward(*one, x), expected);
  const auto first = one->make_trace(evaluation), second = one->make_trace(keeping);
  const Tensor y = unwritten(*kernels_, batch, one->output());
  one->forward(*second, x, y);
  one->forward(*first, x, y);
  EXPECT_EQ(y.download(), expected);

  const auto bytes = [&](const TraceOptions& options) {
    const int64_t before = kernels_->allocated_bytes();
    const auto trace = one->make_trace(options);
    return kernels_->allocated_bytes() - before;
  };
  EXPECT_LT(bytes(evaluation), bytes(keeping) / 2);
}

TEST_P(EvaluationLayersTest, ATraceThatKeepsNothingIsForForwardAlone) {
  const auto one = network(several_layers());
  TraceOptions options = evaluation;
  options.tangents = 1;
  const auto trace = one->make_trace(options);
  const Tensor x = images(picture), y = images(one->output());
  one->forward(*trace, x, y);
  const auto expect = [](const std::string& map, auto&& call) {
    EXPECT_HAS(error_of(call), map + ": this trace keeps nothing; make one with Kept::for_derivatives");
  };
  expect("jvp", [&] { one->jvp(*trace, x, y); });
  expect("forward_jvp", [&] { one->forward_jvp(*trace, {x, x}, {y, y}); });
  expect("vjp", [&] { one->vjp(*trace, y, x, Gradient::ignore); });
  expect("vjp_of_jvp", [&] { one->vjp_of_jvp(*trace, {y, y}, {x, x}, Gradient::ignore); });
  expect("vjp_shared", [&] { one->vjp_shared(*trace, y, {x.data(), x.data()}, x, Gradient::ignore); });
}

INSTANTIATE_TEST_SUITE_P(Devices, EvaluationLayersTest, testing::ValuesIn(devices_with_convolutions()),
                         [](const auto& info) { return info.param; });

TEST(BranchesTest, ThatDoNotFitAreRefused) {
  const auto joined = [](std::vector<Window> windows) {
    std::vector<Branches::Branch> branches;
    for (const Window& window : windows)
      branches.push_back({.layer = std::make_unique<MaxPool>(picture, window)});
    return error_of([&] { Branches all(std::move(branches)); });
  };
  EXPECT_EQ(joined({same_3, same_3}), "(no Error)");
  EXPECT_HAS(joined({}), "0 branches cannot be joined; give 1 to 4");
  EXPECT_HAS(joined(std::vector<Window>(5, same_3)), "5 branches cannot be joined; give 1 to 4");
  EXPECT_HAS(joined({same_3, {.kernel = {3, 3}}}), "6x5x3 -> 4x3x3 does not fit beside one 6x5x3 -> 6x5x3");
}

}  // namespace
}  // namespace ebm::test
