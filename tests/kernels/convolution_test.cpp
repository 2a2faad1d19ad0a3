// SPDX-License-Identifier: MIT
#include <limits>
#include <map>

#include "kernels/kernels_fixture.h"
#include "reference/convolution.h"

namespace ebm::test {
namespace {

reference::ConvolutionSizes sizes_of(const ConvolutionShape& s) {
  return {.height = s.input.height,
          .width = s.input.width,
          .channels = s.input.channels,
          .outputs = s.output_channels,
          .kernel_height = s.kernel.height,
          .kernel_width = s.kernel.width,
          .stride_height = s.stride.height,
          .stride_width = s.stride.width,
          .padding_height = s.padding.height,
          .padding_width = s.padding.width};
}

/// Where w(o, c, k, l) lies in memory, OHWI.
int64_t ohwi(const reference::ConvolutionSizes& s, int64_t o, int64_t c, int64_t k, int64_t l) {
  return ((o * s.kernel_height + k) * s.kernel_width + l) * s.channels + c;
}

class ConvolutionTest : public KernelsTest {
 protected:
  /// Random x, w and y_bar, and the three passes in float64 with bounds for the errors of float32 sums.
  struct Case {
    std::vector<float> x, weight, y_bar;
    std::vector<double> y, x_bar, weight_bar;
    std::vector<double> y_scale, x_bar_scale, weight_bar_scale;  // the terms' absolute values, summed
  };

  Case make_case(const ConvolutionShape& shape) {
    const reference::ConvolutionSizes s = sizes_of(shape);
    const int64_t in = shape.input.size(), out = shape.output().size();
    Case c;
    c.x = normals(shape.rows * in);
    c.weight = normals(s.weights());
    c.y_bar = normals(shape.rows * out);
    const auto zeros = [](const std::vector<float>& like) { return std::vector<double>(like.size()); };
    c.y = c.y_scale = zeros(c.y_bar);
    c.x_bar = c.x_bar_scale = zeros(c.x);
    c.weight_bar = c.weight_bar_scale = zeros(c.weight);
    const auto add = [](std::vector<double>& sums, std::vector<double>& scales, size_t at, double product) {
      sums[at] += product;
      scales[at] += std::abs(product);
    };
    for (int64_t row = 0; row < shape.rows; ++row) {
      reference::for_each_tap(s, [&](int64_t x, int64_t y, int64_t o, int64_t i, int64_t k, int64_t l) {
        const auto x_at = static_cast<size_t>(row * in + x), y_at = static_cast<size_t>(row * out + y),
                   w_at = static_cast<size_t>(ohwi(s, o, i, k, l));
        add(c.y, c.y_scale, y_at, double{c.weight[w_at]} * c.x[x_at]);
        add(c.x_bar, c.x_bar_scale, x_at, double{c.weight[w_at]} * c.y_bar[y_at]);
        add(c.weight_bar, c.weight_bar_scale, w_at, double{c.x[x_at]} * c.y_bar[y_at]);
      });
    }
    return c;
  }

  /// The largest error, relative to the terms' absolute values, summed.
  static double error_of(const Tensor& actual, const std::vector<double>& expected,
                         const std::vector<double>& scales) {
    const std::vector<float> values = actual.download();
    if (values.size() != expected.size()) return HUGE_VAL;
    double worst = 0;
    for (size_t i = 0; i < values.size(); ++i)
      worst = worse(worst, std::abs(values[i] - expected[i]), scales[i]);
    return worst;
  }
  void expect_near(const Tensor& actual, const std::vector<double>& expected,
                   const std::vector<double>& scales, const char* what) const {
    EXPECT_LE(error_of(actual, expected, scales), relative_) << what;
  }

  /// All passes against the naive loops.
  void expect_passes(const ConvolutionShape& shape) {
    SCOPED_TRACE(to_string(shape));
    for (const auto& [pass, error] : errors_of_passes(shape)) ASSERT_LE(error, relative_) << pass;
  }
  std::map<std::string, double> errors_of_passes(const ConvolutionShape& shape) {
    std::map<std::string, double> errors;
    const Case c = make_case(shape);
    const int64_t in = shape.input.size(), out = shape.output().size(), rows = shape.rows;
    const int64_t weights = std::ssize(c.weight);
    const Tensor x = tensor(rows, in, c.x), weight = tensor(1, weights, c.weight),
                 y_bar = tensor(rows, out, c.y_bar);
    const Tensor y = unwritten(rows, out), x_bar = unwritten(rows, in), weight_bar = unwritten(1, weights);
    kernels_->convolve(ConvolutionForward{shape, x.data(), weight.data(), y.data(), precision_});
    errors["y"] = error_of(y, c.y, c.y_scale);
    kernels_->convolve(ConvolutionBackwardData{shape, y_bar.data(), weight.data(), x_bar.data(), precision_});
    errors["x_bar"] = error_of(x_bar, c.x_bar, c.x_bar_scale);
    ConvolutionBackwardWeight pass{shape,     x.data(), y_bar.data(), weight_bar.data(), Write::overwrite,
                                   precision_};
    kernels_->convolve(pass);
    errors["weight_bar"] = error_of(weight_bar, c.weight_bar, c.weight_bar_scale);
    pass.mode = Write::accumulate;
    kernels_->convolve(pass);
    std::vector<double> twice = c.weight_bar, twice_scale = c.weight_bar_scale;
    for (std::vector<double>* values : {&twice, &twice_scale})
      for (double& value : *values) value *= 2;
    errors["weight_bar, accumulated"] = error_of(weight_bar, twice, twice_scale);
    return errors;
  }

  Tensor unwritten(int64_t rows, int64_t columns) {
    return tensor(
        rows, columns,
        std::vector<float>(static_cast<size_t>(rows * columns), std::numeric_limits<float>::quiet_NaN()));
  }

  Precision precision_ = Precision::full;
  double relative_ = 1e-6;  // Winograd's transforms cost a factor 3
};

TEST_P(ConvolutionTest, KernelsStridesAndPaddingsAtOddSizes) {
  for (const Extent kernel : {Extent{1, 1}, {3, 3}, {4, 4}, {2, 5}}) {
    for (const Extent stride : {Extent{1, 1}, {2, 2}, {1, 3}}) {
      for (const Extent padding : {Extent{0, 0}, {1, 1}, {1, 0}}) {
        expect_passes({.rows = 3,
                       .input = {.height = 7, .width = 9, .channels = 5},
                       .output_channels = 6,
                       .kernel = kernel,
                       .stride = stride,
                       .padding = padding});
      }
    }
  }
}

TEST_P(ConvolutionTest, Channels) {
  for (const int64_t in : {1, 3, 16, 17}) {
    for (const int64_t out : {1, 3, 16, 33}) {
      expect_passes({.rows = 2,
                     .input = {.height = 5, .width = 6, .channels = in},
                     .output_channels = out,
                     .kernel = square(3),
                     .padding = square(1)});
    }
  }
}

TEST_P(ConvolutionTest, Batches) {
  for (const int64_t rows : {1, 2, 7, 33}) {
    expect_passes({.rows = rows,
                   .input = {.height = 16, .width = 16, .channels = 3},
                   .output_channels = 8,
                   .kernel = square(4),
                   .stride = square(2),
                   .padding = square(1)});
  }
}

TEST_P(ConvolutionTest, ManyChannels) {  // where Winograd may come in, and several pieces share the work
  expect_passes({.rows = 17,
                 .input = {.height = 8, .width = 8, .channels = 64},
                 .output_channels = 128,
                 .kernel = square(3),
                 .padding = square(1)});
  expect_passes({.rows = 17,
                 .input = {.height = 8, .width = 8, .channels = 64},
                 .output_channels = 64,
                 .kernel = square(4),
                 .stride = square(2),
                 .padding = square(1)});
}

/// Some of oneDNN's formats lay 48 output channels together.
TEST_P(ConvolutionTest, ChannelsInBlocksOf48) {
  for (const int64_t stride : {1, 2}) {
    expect_passes({.rows = 2,
                   .input = {.height = 5, .width = 5, .channels = 16},
                   .output_channels = 192,
                   .kernel = square(1),
                   .stride = square(stride)});
  }
}

TEST_P(ConvolutionTest, KernelFourStrideTwo) {  // in tiles of 4 x 4 outputs, some images at a time
  struct Sizes {
    int64_t rows;
    Features input;
    int64_t output_channels;
  };
  const Sizes all[] = {{33, {.height = 8, .width = 8, .channels = 32}, 16},
                       {33, {.height = 8, .width = 8, .channels = 64}, 48},
                       {47, {.height = 25, .width = 16, .channels = 16}, 32},
                       {11, {.height = 8, .width = 25, .channels = 16}, 16}};
  for (const Sizes& sizes : all) {
    expect_passes({.rows = sizes.rows,
                   .input = sizes.input,
                   .output_channels = sizes.output_channels,
                   .kernel = square(4),
                   .stride = square(2),
                   .padding = square(1)});
  }
}

TEST_P(ConvolutionTest, TrainingPrecisionIsAtWorstTf32) {
  precision_ = Precision::training;
  relative_ = 1e-3;
  expect_passes({.rows = 3,
                 .input = {.height = 7, .width = 7, .channels = 16},
                 .output_channels = 8,
                 .kernel = square(3),
                 .padding = square(1)});
}

/// By three TF32 products, in shapes that a GPU's tiles take and in such as they do not; tuned, each sum is cut into
/// parts too, and each plan is tried.
class SplitTf32ConvolutionTest : public ConvolutionTest {};
TEST_P(SplitTf32ConvolutionTest, IsAsExactAsFloat32) {
  precision_ = Precision::tf32x3;
  const auto expect = [&](Extent kernel, Extent stride, int64_t channels, int64_t outputs) {
    expect_passes({.rows = 2,
                   .input = {.height = 5, .width = 6, .channels = channels},
                   .output_channels = outputs,
                   .kernel = kernel,
                   .stride = stride,
                   .padding = square(1)});
  };
  for (const Extent kernel : {Extent{4, 4}, {3, 3}, {2, 5}}) {
    for (const Extent stride : {Extent{2, 2}, {1, 1}, {1, 3}}) {
      for (const int64_t channels : {8, 5}) expect(kernel, stride, channels, 12);
    }
  }
  expect(square(3), square(1), 16, 3);
  kernels_->tune_convolutions({.name = "", .text = "", .keep = [](const std::string&) {}});
  expect(square(3), square(2), 8, 4);
}

/// Where TF32 is allowed the other tests find nothing of it, since they are of Precision::full; this one
/// finds it in each pass. (Which engine a GPU's cuDNN proposes first is its own affair.)
class Tf32ConvolutionTest : public ConvolutionTest {};
TEST_P(Tf32ConvolutionTest, TrainingPrecisionRounds) {
  if (GetParam() != "emulated_tf32") GTEST_SKIP() << "cuDNN may do it in float32";
  precision_ = Precision::training;
  for (const auto& [pass, error] : errors_of_passes({.rows = 3,
                                   .input = {.height = 7, .width = 7, .channels = 16},
                                   .output_channels = 8,
                                   .kernel = square(3),
                                   .padding = square(1)})) {
    EXPECT_GT(error, 1e-5) << pass;
  }
}

/// However fast: engines that round are not for the Jacobian.
TEST_P(Tf32ConvolutionTest, TunedItIsTrueFloat32AllTheSame) {
  kernels_->tune_convolutions({.name = "", .text = "", .keep = [](const std::string&) {}});
  expect_passes({.rows = 3,
                 .input = {.height = 7, .width = 7, .channels = 16},
                 .output_channels = 8,
                 .kernel = square(3),
                 .padding = square(1)});
}

TEST_P(ConvolutionTest, InARecordedGraph) {
  const ConvolutionShape shape{.rows = 2,
                               .input = {.height = 5, .width = 7, .channels = 4},
                               .output_channels = 3,
                               .kernel = square(3)};
  const Case c = make_case(shape);
  const Tensor x = tensor(2, shape.input.size(), c.x), weight = tensor(1, std::ssize(c.weight), c.weight),
               y = unwritten(2, shape.output().size()), weight_bar = unwritten(1, std::ssize(c.weight));
  const auto graph = kernels_->capture([&] {
    kernels_->convolve(ConvolutionForward{shape, x.data(), weight.data(), y.data()});
    kernels_->convolve(ConvolutionBackwardWeight{shape, x.data(), y.data(), weight_bar.data()});
    kernels_->convolve(
        ConvolutionBackwardWeight{shape, x.data(), y.data(), weight_bar.data(), Write::accumulate});
  });
  EXPECT_TRUE(std::isnan(y.download()[0])) << "recording runs nothing";
  graph->launch();
  expect_near(y, c.y, c.y_scale, "y");
  const std::vector<float> first = weight_bar.download();
  graph->launch();
  EXPECT_TRUE(same_bits(weight_bar.download(), first));
}

TEST_P(ConvolutionTest, TheSameBitsEachTime) {
  const ConvolutionShape shape{.rows = 41,
                               .input = {.height = 8, .width = 8, .channels = 32},
                               .output_channels = 32,
                               .kernel = square(3),
                               .padding = square(1)};
  const std::vector<float> x = normals(shape.rows * shape.input.size()),
                           y_bar = normals(shape.rows * shape.output().size());
  const auto weight_bar = [&] {
    const Tensor x_on_device = tensor(shape.rows, shape.input.size(), x),
                 y_bar_on_device = tensor(shape.rows, shape.output().size(), y_bar),
                 result = unwritten(1, 32 * 9 * 32);
    kernels_->convolve(
        ConvolutionBackwardWeight{shape, x_on_device.data(), y_bar_on_device.data(), result.data()});
    return result.download();
  };
  const std::vector<float> first = weight_bar();
  EXPECT_TRUE(same_bits(weight_bar(), first));
  kernels_ = open_device(GetParam());
  EXPECT_TRUE(same_bits(weight_bar(), first)) << "another run";
}

INSTANTIATE_TEST_SUITE_P(Devices, SplitTf32ConvolutionTest,
                         testing::ValuesIn(with_tf32x3(devices_with_convolutions())));
INSTANTIATE_TEST_SUITE_P(Tf32, ConvolutionTest, testing::ValuesIn(with_convolutions(devices_with_tf32())));
// There may be no device with TF32: on a machine without CUDA's headers there is the CPU alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Tf32ConvolutionTest);
INSTANTIATE_TEST_SUITE_P(Tf32, Tf32ConvolutionTest,
                         testing::ValuesIn(with_convolutions(devices_with_tf32())));
INSTANTIATE_TEST_SUITE_P(Devices, ConvolutionTest, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
