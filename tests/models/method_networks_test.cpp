// SPDX-License-Identifier: MIT
// The networks of the methods' public code: their sizes, names, and values and tangents of narrow ones
// against the oracle.
#include <gtest/gtest.h>

#include "models/deep_conv.h"
#include "models/meg.h"
#include "models/networks.h"
#include "models/sngan.h"
#include "models/statistics.h"
#include "models/vera.h"
#include "narrow_networks.h"
#include "reference/method_networks.h"

namespace ebm::test {
namespace {

using reference::LayerSpec;

int64_t count(const std::deque<Parameter>& parameters) {
  int64_t sum = 0;
  for (const Parameter& p : parameters) sum += p.size;
  return sum;
}

/// By hand from upstream's code.
TEST(MethodNetworksTest, ShapesAndNumbersOfParameters) {
  struct Case {
    NetworkFamily family;
    int64_t energy, u, generator;
  };
  for (const Case& expected : {Case{NetworkFamily::dcgan, 2'931'009, 2 * (2 * 448 + 512), 3'812'355},
                               Case{NetworkFamily::sngan, 1'053'824, 10 * 128 + 1, 4'276'739}}) {
    NetworkOptions options = dcgan_networks();
    options.family = expected.family;
    if (expected.family == NetworkFamily::sngan) options.weight_norm = WeightNorm::spectral;
    const auto energy = energy_layers(options), generator = generator_layers(options);
    Parameters of_energy, of_generator;
    energy->declare(of_energy, "");
    generator->declare(of_generator, "");
    EXPECT_EQ(energy->input(), data_shape(options));
    EXPECT_EQ(energy->output(), flat(1));
    EXPECT_EQ(generator->input(), flat(128));
    EXPECT_EQ(generator->output(), data_shape(options));
    EXPECT_EQ(count(of_energy.trainable()), expected.energy);
    EXPECT_EQ(count(of_energy.statistics()), expected.u);
    EXPECT_EQ(count(of_generator.trainable()), expected.generator);
  }
}

/// By hand from upstream's code, too: MEG's networks/toy.py and mnist.py, VERA's models/mlp.py and dcgan.py.
TEST(MethodNetworksTest, OfMegAndVera) {
  struct Case {
    NetworkFamily family;
    NetworkOptions options;
    int64_t energy, generator, statistics;
  };
  for (const Case& expected : {Case{NetworkFamily::meg, toy_networks(), 527'361, 527'874, 528'385},
                               Case{NetworkFamily::meg, mlp_networks(), 4'305'409, 4'568'961, 4'697'729},
                               Case{NetworkFamily::vera, toy_networks(), 10'501, 10'802, 0},
                               Case{NetworkFamily::vera, dcgan_networks(), 2'758'592, 3'019'651, 0},
                               Case{NetworkFamily::vera, resnet_networks(), 2'764'736, 3'806'083, 0}}) {
    NetworkOptions options = expected.options;
    options.family = expected.family;
    options.width = usual_width(options);
    const auto number = [](Layer& layer) {
      Parameters parameters;
      layer.declare(parameters, "");
      return count(parameters.trainable());
    };
    const auto energy = energy_layers(options), generator = generator_layers(options);
    EXPECT_EQ(energy->input(), data_shape(options));
    EXPECT_EQ(energy->output(), flat(1));
    EXPECT_EQ(generator->input(), flat(options.latent));
    EXPECT_EQ(generator->output(), data_shape(options));
    EXPECT_EQ(number(*energy), expected.energy);
    EXPECT_EQ(number(*generator), expected.generator);
    if (expected.statistics > 0) {
      EXPECT_EQ(number(*statistics_layers(options)), expected.statistics);
    }
  }
}

TEST(MethodNetworksTest, WhatUpstreamHasNoneForIsRefused) {
  for (const auto& [family, options] :
       {std::pair{NetworkFamily::sngan, resnet_networks()}, std::pair{NetworkFamily::dcgan, toy_networks()},
        std::pair{NetworkFamily::meg, dcgan_networks()}, std::pair{NetworkFamily::vera, mlp_networks()}}) {
    NetworkOptions of_family = options;
    of_family.family = family;
    EXPECT_FALSE(has_networks(family, options.kind));
    EXPECT_THROW(energy_layers(of_family), Error);
    EXPECT_THROW(generator_layers(of_family), Error);
  }
}

std::string weights_of(Layer& layer) {
  Parameters parameters;
  layer.declare(parameters, "");
  std::string names;
  for (const Parameter& p : parameters.trainable())
    if (p.name.ends_with("weight")) names += p.name.substr(0, p.name.size() - 7) + " ";
  return names;
}

TEST(MethodNetworksTest, NamesCountEveryModule) {
  EXPECT_EQ(
      weights_of(*deep_conv_energy(1)),
      "main.0 main.1 main.3 main.4 main.6 main.7 main.9 main.10 main.12 main.13 main.15 main.16 main.18 "
      "main.19 expand ");
  EXPECT_EQ(weights_of(*sngan_energy(1)),
            "main.0.left.0 main.0.left.2 main.0.right.1 main.1.left.1 main.1.left.3 main.1.right.0 "
            "main.2.left.1 main.2.left.3 main.3.left.1 main.3.left.3 expand ");
  EXPECT_EQ(weights_of(*sngan_generator(2, 1)),
            "main.0 main.2.left.0 main.2.left.3 main.2.left.4 main.2.left.6 main.2.right.1 "
            "main.3.left.0 main.3.left.3 main.3.left.4 main.3.left.6 main.3.right.1 "
            "main.4.left.0 main.4.left.3 main.4.left.4 main.4.left.6 main.4.right.1 main.5 main.7 ");
}

std::vector<Narrow> narrow_networks() {
  return {
      {"DcganEnergy", [] { return deep_conv_energy(2); }, reference::deep_conv_energy(2)},
      {"DcganGenerator", [] { return deep_conv_generator(3, 2); }, reference::deep_conv_generator(3, 2)},
      {"SnganEnergy", [] { return sngan_energy(3); }, reference::sngan_energy(3)},
      {"SnganGenerator", [] { return sngan_generator(3, 3); }, reference::sngan_generator(3, 3)},
      {"MegToyEnergy", [] { return meg_toy_energy(5); }, reference::meg_mlp(2, 5, 1, double{0.2f})},
      {"MegToyGenerator", [] { return meg_toy_generator(3, 5); }, reference::meg_mlp(3, 5, 2, 0)},
      {"MegToyStatistics", [] { return meg_toy_statistics(3, 5); },
       reference::meg_mlp(5, 5, 1, double{0.2f})},
      {"MegEnergy", [] { return meg_digit_energy(3, 8); }, reference::meg_digits(3, 8, 1)},
      {"MegGenerator", [] { return meg_digit_generator(3, 3, 8); }, reference::meg_digit_generator(3, 3, 8)},
      {"MegStatistics",
       [] { return meg_digit_statistics(3, 1, 8); },
       {LayerSpec::joined_inputs(
           28 * 28, reference::meg_digits(1, 8, 3),
           {LayerSpec::linear(6, 8), LayerSpec::leaky_relu(double{0.2f}), LayerSpec::linear(8, 1)})}},
      {"VeraToyEnergy", [] { return vera_toy_energy(5); }, reference::vera_toy_energy(5)},
      {"VeraToyGenerator", [] { return vera_toy_generator(3, 5); }, reference::vera_toy_generator(3, 5)},
      {"VeraEnergy", [] { return vera_image_energy(32, 1); }, reference::vera_energy(32, 1)},
      {"VeraGenerator", [] { return vera_image_generator(32, 3, 1); }, reference::vera_generator(32, 3, 1)},
      {"VeraEnergyOf64", [] { return vera_image_energy(64, 1); }, reference::vera_energy(64, 1)},
      {"VeraGeneratorOf64", [] { return vera_image_generator(64, 3, 1); },
       reference::vera_generator(64, 3, 1)}};
}

class NarrowMethodNetworksTest : public testing::TestWithParam<std::string> {};

TEST_P(NarrowMethodNetworksTest, ValuesAndTangents) {
  expect_values_and_tangents(GetParam(), narrow_networks());
}

INSTANTIATE_TEST_SUITE_P(Devices, NarrowMethodNetworksTest, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
