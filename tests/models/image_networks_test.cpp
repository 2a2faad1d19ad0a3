// SPDX-License-Identifier: MIT
// The networks of Tables 7 to 10: their sizes, PyTorch's names, and values and tangents of narrow ones
// against the oracle.
#include <gtest/gtest.h>

#include "models/dcgan.h"
#include "models/mnist.h"
#include "models/resnet.h"
#include "narrow_networks.h"
#include "reference/image_networks.h"

namespace ebm::test {
namespace {

struct FullSize {
  const char* name;
  std::function<std::unique_ptr<Layer>()> make;
  Features input, output;
  int64_t parameters;  // by the paper's tables, biases and batch norm's weights included
};

std::vector<FullSize> full_sizes() {
  const Features latent = flat(128), energy = flat(1);
  const Features mnist{28, 28, 3}, cifar{32, 32, 3}, anime{64, 64, 3};
  return {
      {"Table7Energy", [] { return mnist_energy(); }, mnist, energy, 7'395'756},
      {"Table7Generator", [] { return mnist_generator(); }, latent, mnist, 7'280'855},
      {"Table8Energy", [] { return dcgan_energy(); }, cifar, energy, 2'935'873},
      {"Table8Generator", [] { return dcgan_generator(); }, latent, cifar, 3'812'355},
      {"Table9", [] { return resnet_energy(EnergyNorm::batch); }, anime, energy, 19'550'535},
      {"Table9WithoutBatchNorm", [] { return resnet_energy(EnergyNorm::none); }, anime, energy, 19'542'721},
      {"Table10", [] { return resnet_generator(); }, latent, anime, 12'220'675}};
}

int64_t count(const std::deque<Parameter>& parameters) {
  int64_t sum = 0;
  for (const Parameter& p : parameters) sum += p.size;
  return sum;
}

TEST(ImageNetworksTest, ShapesAndNumbersOfParameters) {
  for (const FullSize& expected : full_sizes()) {
    SCOPED_TRACE(expected.name);
    const auto layer = expected.make();
    EXPECT_EQ(to_string(layer->input()), to_string(expected.input));
    EXPECT_EQ(to_string(layer->output()), to_string(expected.output));
    Parameters parameters;
    layer->declare(parameters, "");
    EXPECT_EQ(count(parameters.trainable()), expected.parameters);
  }
}

/// What keeps a Jacobian from full column rank, by hand from the tables.
TEST(ImageNetworksTest, NarrowestLayersOfTheGenerators) {
  struct Case {
    std::unique_ptr<Layer> generator;
    int64_t size;
    const char* where;
  };
  const Features mnist{28, 28, 1};
  Case cases[] = {{mnist_generator(128, mnist, 2000), 128, "main.0"},
                  {mnist_generator(128, mnist, 256), 64, "main.0"},
                  {mnist_generator(1000, mnist, 2000), 500, "main.0"},
                  {mnist_generator(1000, mnist, 8000), 784, "main.9"},
                  {mnist_generator(3, mnist, 16), 3, "main.0"},
                  {dcgan_generator(128, 1), 128, "main.0"},
                  {dcgan_generator(129, 1), 128, "main.0"},
                  {dcgan_generator(4000), 3072, "main.11"},
                  {resnet_generator(300, 1), 256, "main.0"},
                  {resnet_generator(128, 1), 128, "main.0"},
                  {resnet_generator(13000, 64), 12288, "main.8"}};
  for (const Case& expected : cases) {
    const Narrowest found = expected.generator->narrowest({});
    EXPECT_EQ(found.size, expected.size) << expected.generator->input().size();
    EXPECT_EQ(found.where, expected.where) << expected.size;
  }
}

std::string listed(Layer& layer) {
  Parameters parameters;
  layer.declare(parameters, "");
  std::string text;
  for (const Parameter& p : parameters.trainable()) {
    text += p.name;
    for (const int64_t extent : p.shape) text += " " + std::to_string(extent);
    text += "\n";
  }
  return text;
}

TEST(ImageNetworksTest, NamesAndShapesOfDcgan) {
  EXPECT_EQ(listed(*dcgan_energy(2)),
            "main.0.weight 2 3 3 3\nmain.0.bias 2\nmain.2.weight 2 2 4 4\nmain.2.bias 2\n"
            "main.4.weight 4 2 3 3\nmain.4.bias 4\nmain.6.weight 4 4 4 4\nmain.6.bias 4\n"
            "main.8.weight 8 4 3 3\nmain.8.bias 8\nmain.10.weight 8 8 4 4\nmain.10.bias 8\n"
            "main.12.weight 16 8 3 3\nmain.12.bias 16\nexpand.weight 1 256\nexpand.bias 1\n");
  EXPECT_EQ(
      listed(*dcgan_generator(5, 2)),
      "main.0.weight 256 5\nmain.0.bias 256\nmain.2.weight 16 8 4 4\nmain.2.bias 8\n"
      "main.3.weight 8\nmain.3.bias 8\nmain.5.weight 8 4 4 4\nmain.5.bias 4\nmain.6.weight 4\nmain.6.bias 4\n"
      "main.8.weight 4 2 4 4\nmain.8.bias 2\nmain.9.weight 2\nmain.9.bias 2\n"
      "main.11.weight 3 2 3 3\nmain.11.bias 3\n");
}

TEST(ImageNetworksTest, NamesAndShapesOfTheMlps) {
  EXPECT_EQ(
      listed(*mnist_energy({2, 2, 3}, 16)),
      "main.0.weight 16 12\nmain.0.bias 16\nmain.1.weight 1\nmain.2.weight 8 16\nmain.2.bias 8\n"
      "main.3.weight 1\nmain.4.weight 4 8\nmain.4.bias 4\nmain.5.weight 1\nmain.6.weight 2 4\nmain.6.bias 2\n"
      "main.7.weight 1\nmain.8.weight 2 2\nmain.8.bias 2\nmain.9.weight 1\nmain.10.weight 1 2\n"
      "main.10.bias 1\n");
  EXPECT_EQ(listed(*mnist_generator(3, {2, 2, 3}, 16)),
            "main.0.weight 4 3\nmain.0.bias 4\nmain.1.weight 4\nmain.1.bias 4\nmain.2.weight 1\n"
            "main.3.weight 8 4\nmain.3.bias 8\nmain.4.weight 8\nmain.4.bias 8\nmain.5.weight 1\n"
            "main.6.weight 16 8\nmain.6.bias 16\nmain.7.weight 16\nmain.7.bias 16\nmain.8.weight 1\n"
            "main.9.weight 12 16\nmain.9.bias 12\n");
}

TEST(ImageNetworksTest, LayersWithoutFeaturesAreRefused) {
  EXPECT_THROW(mnist_energy({28, 28, 1}, 7), Error);
  EXPECT_THROW(mnist_generator(0, {28, 28, 1}, 16), Error);
}

TEST(ImageNetworksTest, NamesOfResidualBlocksCountEveryModule) {
  const auto starts = [](Layer& layer, const std::string& block) {
    std::string names;
    Parameters parameters;
    layer.declare(parameters, "");
    for (const Parameter& p : parameters.trainable()) {
      if (p.name.starts_with(block) && p.name.ends_with("weight")) names += p.name.substr(block.size()) + " ";
    }
    return names;
  };
  const auto with = resnet_energy(EnergyNorm::batch, 1), without = resnet_energy(EnergyNorm::none, 1);
  EXPECT_EQ(starts(*with, "main.0."),
            "left.0.weight left.1.weight left.3.weight right.1.weight right.2.weight ");
  EXPECT_EQ(starts(*with, "main.1."),
            "left.0.weight left.2.weight left.3.weight left.5.weight right.0.weight right.1.weight ");
  EXPECT_EQ(starts(*without, "main.0."), "left.0.weight left.2.weight right.1.weight ");
  EXPECT_EQ(starts(*without, "main.4."), "left.1.weight left.3.weight right.0.weight ");
  EXPECT_EQ(starts(*without, "expand."), "weight ");
  const auto generator = resnet_generator(2, 1);
  EXPECT_EQ(starts(*generator, "main.2."),
            "left.0.weight left.3.weight left.4.weight left.6.weight right.1.weight ");
  EXPECT_EQ(starts(*generator, "main.6."), "weight ");
  EXPECT_EQ(starts(*generator, "main.8."), "weight ");
}

std::vector<Narrow> narrow_networks() {
  const Features image{4, 3, 3};
  return {{"Table7Energy", [image] { return mnist_energy(image, 16); }, reference::table7_energy(12, 16)},
          {"Table7Generator", [image] { return mnist_generator(3, image, 16); },
           reference::table7_generator(3, 12, 16)},
          {"Table8Energy", [] { return dcgan_energy(2); }, reference::table8_energy(2)},
          {"Table8Generator", [] { return dcgan_generator(3, 2); }, reference::table8_generator(3, 2)},
          {"Table9", [] { return resnet_energy(EnergyNorm::batch, 1); }, reference::table9_energy(1, true)},
          {"Table9WithoutBatchNorm", [] { return resnet_energy(EnergyNorm::none, 1); },
           reference::table9_energy(1, false)},
          {"Table10", [] { return resnet_generator(3, 1); }, reference::table10_generator(3, 1)}};
}

class NarrowImageNetworksTest : public testing::TestWithParam<std::string> {};

TEST_P(NarrowImageNetworksTest, ValuesAndTangents) {
  expect_values_and_tangents(GetParam(), narrow_networks());
}

INSTANTIATE_TEST_SUITE_P(Devices, NarrowImageNetworksTest, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
