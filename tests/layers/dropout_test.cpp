// SPDX-License-Identifier: MIT
// Dropout: what is left out, how often, and that tangents and cotangents go through the same choice.
#include <gtest/gtest.h>

#include <cmath>

#include "layers/dropout.h"
#include "layers/network.h"
#include "reference/random.h"
#include "support/devices.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 7;
constexpr Features image{.height = 3, .width = 5, .channels = 6};

class DropoutTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Network> network(float p, Dropped dropped) {
    return std::make_unique<Network>(*kernels_, std::make_unique<DropoutLayer>(image, p, dropped, 3));
  }
  Tensor random_images(int64_t rows) {
    Tensor x(*kernels_, rows, image);
    std::vector<float> values = reference::to_float(random_.normals(rows * image.size()));
    for (float& value : values) value += value < 0 ? -0.1f : 0.1f;  // none is 0
    x.upload(values);
    return x;
  }
  Tensor images(int64_t rows) { return Tensor(*kernels_, rows, image); }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Random random_{11};
};

TEST_P(DropoutTest, RunningIsTheIdentity) {
  const auto layer = network(0.5f, Dropped::numbers);
  const auto trace = layer->make_trace({.batch = batch, .statistics = Statistics::running});
  const Tensor x = random_images(batch), y = images(batch);
  layer->forward(*trace, x, y);
  EXPECT_EQ(y.download(), x.download());
  layer->vjp(*trace, x, y, Gradient::ignore);
  EXPECT_EQ(y.download(), x.download());
}

TEST_P(DropoutTest, LeavesOutAShareAndDrawsAnewEachTime) {
  constexpr float p = 0.25f;
  const auto layer = network(p, Dropped::numbers);
  const auto trace = layer->make_trace({.batch = batch, .precision = Precision::full});
  const Tensor x = random_images(batch), y = images(batch);
  const std::vector<float> in = x.download();
  std::vector<std::vector<float>> outs;
  double zeros = 0, count = 0;
  for (int i = 0; i < 20; ++i) {
    layer->forward(*trace, x, y);
    outs.push_back(y.download());
    for (size_t k = 0; k < in.size(); ++k) {
      if (outs.back()[k] == 0) {
        ++zeros;
      } else {
        EXPECT_FLOAT_EQ(outs.back()[k], in[k] / (1 - p));
      }
      ++count;
    }
  }
  const double sigma = std::sqrt(p * (1 - p) / count);
  EXPECT_NEAR(zeros / count, p, 5 * sigma);
  EXPECT_NE(outs[0], outs[1]);
}

TEST_P(DropoutTest, ChannelsGoAsAWhole) {
  const auto layer = network(0.5f, Dropped::channels);
  const auto trace = layer->make_trace({.batch = batch, .precision = Precision::full});
  const Tensor x = random_images(batch), y = images(batch);
  layer->forward(*trace, x, y);
  const std::vector<float> out = y.download();
  int64_t dropped = 0;
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t c = 0; c < image.channels; ++c) {
      int64_t zeros = 0;
      for (int64_t pixel = 0; pixel < image.pixels(); ++pixel)
        zeros += out[static_cast<size_t>((b * image.pixels() + pixel) * image.channels + c)] == 0 ? 1 : 0;
      EXPECT_TRUE(zeros == 0 || zeros == image.pixels());
      dropped += zeros > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, batch * image.channels);
}

TEST_P(DropoutTest, TangentsAndCotangentsGoThroughTheSameChoice) {
  for (const Dropped dropped : {Dropped::numbers, Dropped::channels}) {
    const auto layer = network(0.5f, dropped);
    const auto trace = layer->make_trace({.batch = batch, .tangents = 2, .precision = Precision::full});
    const Tensor x = random_images(batch), y = images(batch), x_dot = random_images(2 * batch),
                 y_dot = images(2 * batch), y_bar = random_images(batch), x_bar = images(batch);
    layer->forward(*trace, x, y);
    layer->jvp(*trace, x_dot, y_dot);
    layer->vjp(*trace, y_bar, x_bar, Gradient::ignore);
    const std::vector<float> values = y.download(), in_dot = x_dot.download(), dots = y_dot.download(),
                             bars = x_bar.download(), in_bar = y_bar.download();
    for (size_t i = 0; i < values.size(); ++i) {
      const float m = values[i] == 0 ? 0.0f : 2.0f;
      EXPECT_EQ(bars[i], m * in_bar[i]);
      EXPECT_EQ(dots[i], m * in_dot[i]);
      EXPECT_EQ(dots[values.size() + i], m * in_dot[values.size() + i]);
    }
  }
}

TEST_P(DropoutTest, RefusesWhatIsNoProbability) {
  for (const float p : {-0.1f, 1.0f, std::nanf("")}) {
    EXPECT_THROW(DropoutLayer(image, p, Dropped::numbers, 1), Error) << p;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, DropoutTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
