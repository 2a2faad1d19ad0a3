// SPDX-License-Identifier: MIT
// The networks of the public code of DCGAN and SNGAN: their sizes, names, and values and tangents of narrow ones
// against the oracle.
#include <gtest/gtest.h>

#include "models/deep_conv.h"
#include "models/networks.h"
#include "models/sngan.h"
#include "narrow_networks.h"
#include "reference/method_networks.h"

namespace ebm::test {
namespace {

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

TEST(MethodNetworksTest, AreForImagesOf32Alone) {
  NetworkOptions options = resnet_networks();
  options.family = NetworkFamily::sngan;
  EXPECT_THROW(energy_layers(options), Error);
  EXPECT_THROW(generator_layers(options), Error);
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
  return {{"DcganEnergy", [] { return deep_conv_energy(2); }, reference::deep_conv_energy(2)},
          {"DcganGenerator", [] { return deep_conv_generator(3, 2); }, reference::deep_conv_generator(3, 2)},
          {"SnganEnergy", [] { return sngan_energy(3); }, reference::sngan_energy(3)},
          {"SnganGenerator", [] { return sngan_generator(3, 3); }, reference::sngan_generator(3, 3)}};
}

class NarrowMethodNetworksTest : public testing::TestWithParam<std::string> {};

TEST_P(NarrowMethodNetworksTest, ValuesAndTangents) {
  expect_values_and_tangents(GetParam(), narrow_networks());
}

INSTANTIATE_TEST_SUITE_P(Devices, NarrowMethodNetworksTest, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
