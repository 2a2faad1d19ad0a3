// SPDX-License-Identifier: MIT
// The layers of images, alone, with their activations in the same formulas, and in residual blocks.
#include "layers/batch_norm.h"
#include "layers/convolution.h"
#include "layers/joined_inputs.h"
#include "layers/layer_case.h"
#include "layers/linear.h"
#include "layers/noisy_output.h"
#include "layers/transposed_convolution.h"
#include "models/stack.h"

namespace ebm::test {

namespace {

using reference::ConvolutionSizes;
using reference::LayerSpec;
using reference::NetworkSpec;

constexpr float slope = 0.2f;

Features image_of(const ConvolutionSizes& s) {
  return {.height = s.height, .width = s.width, .channels = s.channels};
}
Features small_image_of(const ConvolutionSizes& s) {
  return {.height = s.output_height(), .width = s.output_width(), .channels = s.outputs};
}
Window window_of(const ConvolutionSizes& s) {
  return {.kernel = {s.kernel_height, s.kernel_width},
          .stride = {s.stride_height, s.stride_width},
          .padding = {s.padding_height, s.padding_width}};
}

constexpr ConvolutionSizes same{.height = 4,
                                .width = 3,
                                .channels = 3,
                                .outputs = 2,
                                .kernel_height = 3,
                                .kernel_width = 3,
                                .padding_height = 1,
                                .padding_width = 1};
constexpr ConvolutionSizes strided{.height = 5,
                                   .width = 6,
                                   .channels = 2,
                                   .outputs = 3,
                                   .kernel_height = 4,
                                   .kernel_width = 2,
                                   .stride_height = 2,
                                   .stride_width = 3,
                                   .padding_height = 1,
                                   .padding_width = 0};
constexpr ConvolutionSizes doubling{.height = 4,
                                    .width = 6,
                                    .channels = 2,
                                    .outputs = 3,
                                    .kernel_height = 4,
                                    .kernel_width = 4,
                                    .stride_height = 2,
                                    .stride_width = 2,
                                    .padding_height = 1,
                                    .padding_width = 1};

/// 2 x 3 pixels transposed to 4 x 5, of which only the rows need an output_padding.
constexpr ConvolutionSizes padded{.height = 4,
                                  .width = 5,
                                  .channels = 2,
                                  .outputs = 3,
                                  .kernel_height = 5,
                                  .kernel_width = 5,
                                  .stride_height = 2,
                                  .stride_width = 2,
                                  .padding_height = 2,
                                  .padding_width = 2};
/// With channels that tensor cores take.
constexpr ConvolutionSizes same_of_fours{.height = 3,
                                         .width = 4,
                                         .channels = 4,
                                         .outputs = 8,
                                         .kernel_height = 3,
                                         .kernel_width = 3,
                                         .padding_height = 1,
                                         .padding_width = 1};

/// 1 x 1 from the channels of `same` to its outputs.
constexpr ConvolutionSizes pointwise{
    .height = same.height, .width = same.width, .channels = same.channels, .outputs = same.outputs};
/// From the image of `same` to one of its shape.
constexpr ConvolutionSizes to_itself{.height = same.height,
                                     .width = same.width,
                                     .channels = same.channels,
                                     .outputs = same.channels,
                                     .kernel_height = 3,
                                     .kernel_width = 3,
                                     .padding_height = 1,
                                     .padding_width = 1};
/// 5 x 7 images in windows of 2 x 3: the last line and place are in none.
constexpr ConvolutionSizes odd_windows{
    .height = 5, .width = 7, .channels = 3, .kernel_height = 2, .kernel_width = 3};
constexpr ConvolutionSizes windows{
    .height = 4, .width = 6, .channels = 3, .kernel_height = 2, .kernel_width = 3};
/// The same with channels that a GPU's thread takes 4 of.
constexpr ConvolutionSizes odd_windows_of_fours{
    .height = 5, .width = 7, .channels = 4, .kernel_height = 2, .kernel_width = 3};

/// Max pooling, whose `outputs` mean nothing: windows of 2 x 2 that leave a row, of 3 x 3 that overlap, and with
/// padding.
constexpr ConvolutionSizes tiles{.height = 5,
                                 .width = 4,
                                 .channels = 3,
                                 .kernel_height = 2,
                                 .kernel_width = 2,
                                 .stride_height = 2,
                                 .stride_width = 2};
constexpr ConvolutionSizes overlapping{.height = 7,
                                       .width = 5,
                                       .channels = 3,
                                       .kernel_height = 3,
                                       .kernel_width = 3,
                                       .stride_height = 2,
                                       .stride_width = 2};
constexpr ConvolutionSizes padded_pool{.height = 4,
                                       .width = 5,
                                       .channels = 4,
                                       .kernel_height = 3,
                                       .kernel_width = 3,
                                       .padding_height = 1,
                                       .padding_width = 1};

LayerSpec linear_of_images(int64_t in, int64_t in_pixels, int64_t out, int64_t out_pixels) {
  LayerSpec spec = LayerSpec::linear(in, out);
  spec.in_pixels = in_pixels;
  spec.out_pixels = out_pixels;
  return spec;
}

void add_single_layers(std::vector<LayerCase>& cases) {
  const Features image = image_of(same);
  cases.push_back({"Convolution", {LayerSpec::convolution(same)}, image});
  cases.push_back({"ConvolutionOfFours", {LayerSpec::convolution(same_of_fours)}, image_of(same_of_fours)});
  cases.push_back({"TransposedConvolutionOfFours",
                   {LayerSpec::transposed_convolution(same_of_fours)},
                   small_image_of(same_of_fours)});
  cases.push_back({"ConvolutionStrided", {LayerSpec::convolution(strided)}, image_of(strided)});
  cases.push_back(
      {"TransposedConvolution", {LayerSpec::transposed_convolution(doubling)}, small_image_of(doubling)});
  cases.push_back({"TransposedConvolutionOutputPadding",
                   {LayerSpec::transposed_convolution(padded)},
                   small_image_of(padded)});
  cases.push_back(
      {"ConvolutionWithoutBias", {LayerSpec::convolution(strided).without_bias()}, image_of(strided)});
  cases.push_back({"TransposedConvolutionWithoutBias",
                   {LayerSpec::transposed_convolution(doubling).without_bias()},
                   small_image_of(doubling)});
  cases.push_back(
      {"TransposedConvolutionStride1", {LayerSpec::transposed_convolution(same)}, small_image_of(same)});
  cases.push_back({"AveragePool", {LayerSpec::average_pool(odd_windows)}, image_of(odd_windows)});
  cases.push_back({"AveragePoolOfFours",
                   {LayerSpec::average_pool(odd_windows_of_fours)},
                   image_of(odd_windows_of_fours)});
  cases.push_back({"MaxPool", {LayerSpec::max_pool(tiles)}, image_of(tiles)});
  cases.push_back({"MaxPoolOverlapping", {LayerSpec::max_pool(overlapping)}, image_of(overlapping)});
  cases.push_back({"MaxPoolPaddedOfFours", {LayerSpec::max_pool(padded_pool)}, image_of(padded_pool)});
  cases.push_back(
      {"Upsample", {LayerSpec::upsample(windows)}, {.height = 2, .width = 2, .channels = windows.channels}});
  cases.push_back({"SpatialSum", {LayerSpec::spatial_sum(3)}, image});
  cases.push_back({"LinearOfImages", {linear_of_images(36, 12, 5, 1)}, image});
  cases.push_back({"LinearToImages", {linear_of_images(5, 1, 12, 4)}, flat(5)});
}

void add_with_activations(std::vector<LayerCase>& cases) {
  const auto then_leaky = [](LayerSpec spec) {
    return NetworkSpec{std::move(spec), LayerSpec::leaky_relu(slope)};
  };
  cases.push_back({"LinearLeaky", then_leaky(LayerSpec::linear(5, 4)), flat(5), Statistics::running,
                   [] { return std::make_unique<Linear>(flat(5), flat(4), Bias::yes, Activation{slope}); }});
  LayerSpec without_bias = LayerSpec::linear(5, 4);
  without_bias.bias = false;
  cases.push_back({"LinearLeakyWithoutBias", then_leaky(without_bias), flat(5), Statistics::running,
                   [] { return std::make_unique<Linear>(flat(5), flat(4), Bias::no, Activation{slope}); }});
  cases.push_back(
      {"ConvolutionLeaky", then_leaky(LayerSpec::convolution(same)), image_of(same), Statistics::running, [] {
         return std::make_unique<Convolution>(image_of(same), same.outputs, window_of(same),
                                              Activation{slope});
       }});
  cases.push_back({"TransposedConvolutionRelu",
                   {LayerSpec::transposed_convolution(doubling), LayerSpec::relu()},
                   small_image_of(doubling),
                   Statistics::running,
                   [] {
                     return std::make_unique<TransposedConvolution>(
                         small_image_of(doubling), doubling.channels, window_of(doubling), Activation{0});
                   }});
}

/// Layers whose maps depend on the statistics.
void add_on(Statistics statistics, const std::string& suffix, std::vector<LayerCase>& cases) {
  const auto add = [&](const char* name, NetworkSpec spec, const Features& input,
                       std::function<std::unique_ptr<Layer>()> make = nullptr) {
    cases.push_back({name + suffix, std::move(spec), input, statistics, std::move(make)});
  };
  const Features image = image_of(same);
  const LayerSpec batch_norm = LayerSpec::batch_norm(same.channels);
  add("BatchNormLeaky", {batch_norm, LayerSpec::leaky_relu(slope)}, image,
      [image] { return std::make_unique<BatchNorm>(image, 1e-5f, 0.1f, Activation{slope}); });
  add("BatchNormRelu", {batch_norm, LayerSpec::relu()}, image,
      [image] { return std::make_unique<BatchNorm>(image, 1e-5f, 0.1f, Activation{0}); });
  const Features fours{.height = 2, .width = 3, .channels = 4};
  add("BatchNormLeakyOfFours", {LayerSpec::batch_norm(4), LayerSpec::leaky_relu(slope)}, fours,
      [fours] { return std::make_unique<BatchNorm>(fours, 1e-5f, 0.1f, Activation{slope}); });
  // the batch norm stands in for the bias of the layer before
  add("LinearThenBatchNorm", {LayerSpec::linear(5, 4), LayerSpec::batch_norm(4)}, flat(5),
      [] { return Stack(flat(5)).linear(4).batch_norm(1e-5f).build(); });
  add("TransposedConvolutionThenBatchNormRelu",
      {LayerSpec::transposed_convolution(doubling), LayerSpec::batch_norm(doubling.channels),
       LayerSpec::relu()},
      small_image_of(doubling), [] {
        return Stack(small_image_of(doubling))
            .transposed_convolution(window_of(doubling), doubling.channels)
            .batch_norm(1e-5f, relu)
            .build();
      });
  const LayerSpec convolution = LayerSpec::convolution(same);
  add("SpectralConvolution", {convolution.normalised()}, image);
  add("SpectralConvolutionStrided", {LayerSpec::convolution(strided).normalised()}, image_of(strided));
  add("SpectralConvolutionLeaky", {convolution.normalised(), LayerSpec::leaky_relu(slope)}, image, [image] {
    return std::make_unique<Convolution>(image, same.outputs, window_of(same), Activation{slope},
                                         WeightNorm::spectral);
  });
  // x's images are flat in rows [x | z], and so are the features that join z
  const Features features = small_image_of(same);
  add("JoinedInputsOfImages",
      {LayerSpec::joined_inputs(image.size(), {convolution, LayerSpec::leaky_relu(slope)},
                                {LayerSpec::linear(features.size() + 3, 2)})},
      flat(image.size() + 3), [image, features] {
        return std::make_unique<JoinedInputs>(
            Sequential::Child{
                "trunk", Stack(image).convolution(window_of(same), same.outputs, leaky_relu(slope)).build()},
            Sequential::Child{"head", Stack(flat(features.size() + 3)).linear(2).build()});
      });
  add("NoisyOutputOfImages",
      {LayerSpec::noisy_output(5, {linear_of_images(5, 1, image.size(), image.pixels()), convolution})},
      flat(5 + features.size()), [image] {
        return std::make_unique<NoisyOutput>(
            Sequential::Child{
                "g", Stack(flat(5)).linear(image).convolution(window_of(same), same.outputs).build()},
            -1.0f);
      });
  add("Residual",
      {LayerSpec::residual({batch_norm, LayerSpec::relu(), LayerSpec::convolution(same)},
                           {LayerSpec::convolution(pointwise)})},
      image);
  // curved on one side alone, so that the values' cotangents come from there or from nowhere
  add("ResidualCurvedLeft",
      {LayerSpec::residual({batch_norm, LayerSpec::tanh(), LayerSpec::convolution(same)},
                           {LayerSpec::convolution(pointwise)})},
      image);
  add("ResidualCurvedRight",
      {LayerSpec::residual({LayerSpec::leaky_relu(slope), LayerSpec::convolution(pointwise)},
                           {LayerSpec::tanh(), batch_norm, LayerSpec::convolution(pointwise)})},
      image);
  // f(x) + x
  add("ResidualWithIdentity",
      {LayerSpec::residual({LayerSpec::relu(), LayerSpec::convolution(to_itself)}, {})}, image);
  add("ResidualCurvedWithIdentity",
      {LayerSpec::residual({batch_norm, LayerSpec::tanh(), LayerSpec::convolution(to_itself)}, {})}, image);
}

}  // namespace

std::vector<LayerCase> image_layer_cases() {
  std::vector<LayerCase> cases;
  add_single_layers(cases);
  add_with_activations(cases);
  add_on(Statistics::batch, "OnBatch", cases);
  add_on(Statistics::running, "OnRunning", cases);
  return cases;
}

}  // namespace ebm::test
