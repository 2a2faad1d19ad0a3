// SPDX-License-Identifier: MIT
// Whole iterations of networks of images against the oracle: those of Table 7, and small ones that are made
// as Tables 8 to 10 are, of the same rows for smaller images.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <tuple>

#include "layers/linear.h"
#include "methods/ebm_bb_options.h"
#include "models/mnist.h"
#include "models/stack.h"
#include "reference/image_networks.h"
#include "support/devices.h"
#include "train/oracle_iteration.h"

namespace ebm::test {
namespace {

constexpr Window conv3{.kernel = {3, 3}, .padding = {1, 1}};
constexpr Window conv4{.kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}};
constexpr Extent twice{2, 2};
constexpr float bn_eps = 1e-5f;
constexpr int64_t d = 4;

struct ImageCase {
  std::string name;
  OracleNetworks oracle;
  std::function<std::unique_ptr<Layer>()> energy, generator;
};
std::ostream& operator<<(std::ostream& out, const ImageCase& one) {
  return out << one.name;
}

ImageCase table7() {
  constexpr Features image{.height = 2, .width = 3, .channels = 3};
  return {.name = "Mlp",
          .oracle = {.energy = reference::table7_energy(image.pixels(), 8),
                     .generator = reference::table7_generator(d, image.pixels(), 16),
                     .d = d,
                     .data = image},
          .energy = [=] { return mnist_energy(image, 8); },
          .generator = [=] { return mnist_generator(d, image, 16); }};
}

std::unique_ptr<Layer> with_linear(Stack main) {
  auto expand = std::make_unique<Linear>(main.features(), flat(1));
  return network_of("main", main.build(), "expand", std::move(expand));
}

ImageCase like_table8() {
  constexpr Features image{.height = 4, .width = 4, .channels = 3};
  using reference::LayerSpec;
  const auto doubling = [](int64_t side, int64_t in, int64_t out) {
    return LayerSpec::transposed_convolution(reference::square_window(2 * side, out, in, 4, 2));
  };
  return {.name = "Dcgan",
          .oracle = {.energy = {reference::square_convolution(4, 3, 2, 3), reference::leaky01(),
                                reference::square_convolution(4, 2, 3, 4, 2), reference::leaky01(),
                                reference::linear_of_image(12, 4, 1)},
                     .generator = {LayerSpec::linear(d, 3), doubling(1, 3, 2), LayerSpec::batch_norm(2),
                                   LayerSpec::relu(), doubling(2, 2, 2), LayerSpec::batch_norm(2),
                                   LayerSpec::relu(), reference::square_convolution(4, 2, 3, 3),
                                   LayerSpec::tanh()},
                     .d = d,
                     .data = image},
          .energy =
              [=] {
                Stack main(image);
                main.convolution(conv3, 2, leaky_relu(0.1f)).convolution(conv4, 3, leaky_relu(0.1f));
                return with_linear(std::move(main));
              },
          .generator =
              [] {
                Stack main(flat(d));
                main.linear(Features{.height = 1, .width = 1, .channels = 3}).reshape();
                main.transposed_convolution(conv4, 2).batch_norm(bn_eps, relu);
                main.transposed_convolution(conv4, 2).batch_norm(bn_eps, relu);
                main.convolution(conv3, 3).tanh();
                return network_of("main", main.build());
              }};
}

Stack first_energy_block(const Features& image) {
  Stack main(image), left(image), right(image);
  left.convolution(conv3, 2, leaky_relu(0.1f)).convolution(conv3, 2).average_pool(twice);
  right.average_pool(twice).convolution({.kernel = {1, 1}}, 2);
  main.residual(std::move(left), std::move(right));
  return main;
}

ImageCase like_tables_9_and_10() {
  constexpr Features image{.height = 4, .width = 4, .channels = 3};
  using reference::LayerSpec;
  using reference::square_convolution;
  const auto norm = [](int64_t channels) {
    return reference::batch_norm_with(channels, reference::resnet_eps);
  };
  return {
      .name = "Resnet",
      .oracle = {.energy = {LayerSpec::residual({square_convolution(4, 3, 2, 3), reference::leaky01(),
                                                 square_convolution(4, 2, 2, 3), reference::pool2(4, 2)},
                                                {reference::pool2(4, 3), square_convolution(2, 3, 2, 1)}),
                            LayerSpec::residual(
                                {reference::leaky01(), square_convolution(2, 2, 3, 3), reference::leaky01(),
                                 square_convolution(2, 3, 3, 3), reference::pool2(2, 3)},
                                {square_convolution(2, 2, 3, 1), reference::pool2(2, 3)}),
                            reference::leaky01(), LayerSpec::spatial_sum(3), LayerSpec::linear(3, 1)},
                 .generator = {reference::linear_to_image(d, 12, 4),
                               LayerSpec::residual(
                                   {norm(3), LayerSpec::relu(), reference::upsample2(2, 3),
                                    square_convolution(4, 3, 2, 3), norm(2), LayerSpec::relu(),
                                    square_convolution(4, 2, 2, 3)},
                                   {reference::upsample2(2, 3), square_convolution(4, 3, 2, 1)}),
                               norm(2), LayerSpec::relu(), square_convolution(4, 2, 3, 3), LayerSpec::tanh()},
                 .d = d,
                 .data = image},
      .energy =
          [=] {
            Stack main = first_energy_block(image), left(main.features()), right(main.features());
            left.leaky(0.1f).convolution(conv3, 3, leaky_relu(0.1f)).convolution(conv3, 3);
            left.average_pool(twice);
            right.pointwise_and_average_pool(3, twice);
            main.residual(std::move(left), std::move(right)).leaky(0.1f).spatial_sum();
            return with_linear(std::move(main));
          },
      .generator =
          [] {
            constexpr float eps = 1e-4f;
            Stack main(flat(d));
            main.linear(Features{.height = 2, .width = 2, .channels = 3}).reshape();
            Stack left(main.features()), right(main.features());
            left.batch_norm(eps, relu).upsample(twice).convolution(conv3, 2);
            left.batch_norm(eps, relu).convolution(conv3, 2);
            right.upsample_and_pointwise(twice, 2);
            main.residual(std::move(left), std::move(right));
            main.batch_norm(eps, relu).convolution(conv3, 3).tanh();
            return network_of("main", main.build());
          }};
}

/// The choices of a method and preset, with steps that are large beside rounding and penalties that count.
EbmBbOptions options_of(Variant method, Preset preset) {
  EbmBbOptions options = ebm_bb_options(NetworkKind::dcgan, method, preset);
  options.training.batch = 3;
  options.training.lr_energy = 3e-3;
  options.training.lr_generator = 2e-3;
  options.upper.weight = 2;
  options.upper.hinge = 0.1;
  if (options.lower) options.entropy_weight = 0.6;
  return options;
}

struct Choice {
  std::string name;
  Variant method;
  Preset preset;
};
std::ostream& operator<<(std::ostream& out, const Choice& choice) {
  return out << choice.name;
}

class ImageEbmBbTest : public testing::TestWithParam<std::tuple<ImageCase, Choice, std::string>> {
 protected:
  static const OracleIteration& start(const ImageCase& one,
                                      const Choice& choice) {  // once for all devices
    static std::map<std::string, OracleIteration> known;
    const std::string name = one.name + choice.name;
    if (!known.contains(name))
      known.emplace(name, oracle_iteration(options_of(choice.method, choice.preset), one.oracle));
    return known.at(name);
  }
  static void expect_iteration_of(const OracleIteration& begin) {
    const auto& [one, choice, device] = GetParam();
    const auto kernels = open_device(device);
    expect_oracles_iteration(*kernels, {.energy = one.energy, .generator = one.generator}, begin);
  }
};

TEST_P(ImageEbmBbTest, OneIteration) {
  expect_iteration_of(start(std::get<0>(GetParam()), std::get<1>(GetParam())));
}

/// --precision fp32 is true float32 in everything, where TF32 is allowed.
class TrueFloat32ImageEbmBbTest : public ImageEbmBbTest {};
TEST_P(TrueFloat32ImageEbmBbTest, OneIteration) {
  OracleIteration begin = start(std::get<0>(GetParam()), std::get<1>(GetParam()));
  begin.options.training.precision = Precision::full;
  expect_iteration_of(begin);
}

std::vector<ImageCase> image_cases() {
  return {table7(), like_table8(), like_tables_9_and_10()};
}
std::vector<Choice> all_choices() {
  return {{"EbmBbAsInCode", Variant::ebm_bb, Preset::code},
          {"EbmBb", Variant::ebm_bb, Preset::paper},
          {"Ebm0gp", Variant::ebm_0gp, Preset::paper},
          {"Wgan0gp", Variant::wgan_0gp, Preset::paper}};
}
std::string image_ebm_bb_test_name(
    const testing::TestParamInfo<std::tuple<ImageCase, Choice, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param).name + "_" + std::get<2>(info.param);
}
INSTANTIATE_TEST_SUITE_P(All, ImageEbmBbTest,
                         testing::Combine(testing::ValuesIn(image_cases()), testing::ValuesIn(all_choices()),
                                          testing::ValuesIn(devices_with_convolutions())),
                         image_ebm_bb_test_name);
// There may be no device with TF32: on a machine without CUDA's headers there is the CPU alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrueFloat32ImageEbmBbTest);
INSTANTIATE_TEST_SUITE_P(Tf32, TrueFloat32ImageEbmBbTest,
                         testing::Combine(testing::ValuesIn(image_cases()), testing::ValuesIn(all_choices()),
                                          testing::ValuesIn(with_convolutions(devices_with_tf32()))),
                         image_ebm_bb_test_name);

}  // namespace
}  // namespace ebm::test
