// SPDX-License-Identifier: MIT
// MEG's statistics networks: sizes, PyTorch's names, and values and tangents of narrow ones against the
// oracle.
#include <gtest/gtest.h>

#include "models/statistics.h"
#include "narrow_networks.h"
#include "reference/image_networks.h"

namespace ebm::test {
namespace {

using reference::LayerSpec;
using reference::NetworkSpec;

/// By hand: the energy of the table less its last row, Linear to d, then the head.
TEST(StatisticsNetworksTest, ShapesAndNumbersOfParameters) {
  constexpr int64_t d = 128, head = 2 * d * 512 + 512 + 513;
  NetworkOptions stacked = mlp_networks();
  stacked.channels = 3;
  const struct {
    NetworkOptions networks;
    int64_t inputs, parameters;
  } all[] = {{toy_networks(), 4, 300 + 1 + 202 + 500 + 1 + 101},
             {stacked, 28 * 28 * 3 + d, 7'395'756 - 251 + 250 * d + d + head},
             {dcgan_networks(), 32 * 32 * 3 + d, 2'935'873 - 8193 + 8192 * d + d + head},
             {resnet_networks(), 64 * 64 * 3 + d, 19'542'721 - 1025 + 1024 * d + d + head}};
  for (const auto& expected : all) {
    SCOPED_TRACE(expected.inputs);
    const auto layer = statistics_layers(expected.networks);
    EXPECT_EQ(to_string(layer->input()), to_string(flat(expected.inputs)));
    EXPECT_EQ(to_string(layer->output()), to_string(flat(1)));
    EXPECT_FALSE(layer->couples_samples(Statistics::batch));
    Parameters parameters;
    layer->declare(parameters, "");
    int64_t count = 0;
    for (const Parameter& p : parameters.trainable()) count += p.size;
    EXPECT_EQ(count, expected.parameters);
  }
}

TEST(StatisticsNetworksTest, NamesAreThoseOfPyTorch) {
  const auto weights = [](const NetworkOptions& networks) {
    const auto layer = statistics_layers(networks);
    std::string names;
    Parameters parameters;
    layer->declare(parameters, "");
    for (const Parameter& p : parameters.trainable()) {
      if (p.name.ends_with("weight") && p.name.find("left") == std::string::npos) names += p.name + " ";
    }
    return names;
  };
  EXPECT_EQ(weights({.kind = NetworkKind::toy, .latent = 3, .width = 5}),
            "trunk.0.weight trunk.1.weight trunk.2.weight head.0.weight head.1.weight head.2.weight ");
  EXPECT_EQ(weights({.kind = NetworkKind::mlp, .latent = 3, .width = 8}),
            "trunk.0.weight trunk.1.weight trunk.2.weight trunk.3.weight trunk.4.weight trunk.5.weight "
            "trunk.6.weight trunk.7.weight trunk.8.weight trunk.9.weight trunk.10.weight head.0.weight "
            "head.2.weight ");
  EXPECT_EQ(weights({.kind = NetworkKind::dcgan, .latent = 3, .width = 1}),
            "trunk.0.weight trunk.2.weight trunk.4.weight trunk.6.weight trunk.8.weight trunk.10.weight "
            "trunk.12.weight trunk.15.weight head.0.weight head.2.weight ");  // 14 flattens
  EXPECT_EQ(weights({.kind = NetworkKind::resnet, .latent = 3, .width = 1}),
            "trunk.0.right.1.weight trunk.1.right.0.weight trunk.2.right.0.weight trunk.3.right.0.weight "
            "trunk.4.right.0.weight trunk.7.weight head.0.weight head.2.weight ");
}

/// T whose trunk is an energy with another last row.
NetworkSpec statistics_spec(int64_t data, NetworkSpec trunk, const LayerSpec& last, int64_t d) {
  trunk.back() = last;
  return {LayerSpec::joined_inputs(
      data, trunk, {LayerSpec::linear(2 * d, 512), reference::leaky01(), LayerSpec::linear(512, 1)})};
}

class NarrowStatisticsTest : public testing::TestWithParam<std::string> {};

TEST_P(NarrowStatisticsTest, ValuesAndTangents) {
  constexpr int64_t d = 3;
  const auto of = [](NetworkKind kind, int64_t width) {
    return [=] { return statistics_layers({.kind = kind, .channels = 3, .latent = d, .width = width}); };
  };
  expect_values_and_tangents(
      GetParam(),
      {{"Mlp", of(NetworkKind::mlp, 16),
        statistics_spec(2352, reference::table7_energy(784, 16), LayerSpec::linear(2, d), d)},
       {"Dcgan", of(NetworkKind::dcgan, 2),
        statistics_spec(3072, reference::table8_energy(2), reference::linear_of_image(256, 16, d), d)},
       {"Resnet", of(NetworkKind::resnet, 1),
        statistics_spec(12288, reference::table9_energy(1, false), LayerSpec::linear(16, d), d)}});
}

INSTANTIATE_TEST_SUITE_P(Devices, NarrowStatisticsTest, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
