// SPDX-License-Identifier: MIT
#include "runs/image_config.h"

#include "../io/io_fixture.h"

namespace ebm::test {
namespace {

using Words = std::vector<std::string>;

/// The configuration that a command line without a folder comes to.
std::string resolved(const std::string& program, const Words& words) {
  const ImageExperiment& experiment = image_experiment(program);
  ImageConfig config;
  Options options = declare_image_options(config, experiment);
  std::vector<const char*> line{program.c_str()};
  for (const std::string& word : words) line.push_back(word.c_str());
  EXPECT_TRUE(options.parse(static_cast<int>(line.size()), line.data()));
  resolve_image_defaults(options, config, experiment);
  return options.to_toml();
}

TEST(ImageConfigTest, DefaultsOfTheExperiments) {
  const struct {
    Words line, constants;
  } cases[] = {
      {{"cifar10_bb"},
       {"batch = 64", "latent = 128", "width = 64", "iterations = 200000", "lr_energy = 5e-05",
        "lr_generator = 5e-05", "adam_beta1 = 0.0", "adam_beta2 = 0.999", "hinge = 1.0",
        "flips = \"horizontal\"", "data = \"data/cifar10-train.h5\"", "held_out = \"data/cifar10-test.h5\"",
        "out = \"runs/cifar10_ebm_bb_paper_1\""}},
      {{"cifar10_bb", "--preset", "code", "--synthetic", "--seed", "7"},
       {"hinge = 0.0", "out = \"runs/cifar10_synthetic_ebm_bb_code_7\""}},
      {{"cifar10_bb", "--preset", "code", "--hinge", "2", "--lr-energy", "1"},
       {"hinge = 2.0", "lr_energy = 1.0", "lr_generator = 5e-05"}},
      {{"mnist_bb"},
       {"batch = 64", "width = 2000", "iterations = 56250", "lr_energy = 0.0002", "lr_generator = 0.0002",
        "adam_beta2 = 0.9", "flips = \"none\"", "data = \"data/mnist-train.h5\"",
        "held_out = \"data/mnist-test.h5\"", "out = \"runs/mnist_ebm_bb_paper_1\""}},
      {{"mnist_bb", "--stacked", "--method", "wgan_0gp"},
       {"penalty_weight = 10.0", "iterations = 120000", "data = \"data/stacked_mnist-train.h5\"",
        "out = \"runs/mnist_stacked_wgan_0gp_paper_1\""}},
      {{"animeface_bb"},
       {"iterations = 100000", "energy_norm = \"none\"", "flips = \"horizontal\"", "lr_energy = 5e-05",
        "held_out = \"data/animeface-valid.h5\""}}};
  for (const auto& one : cases) {
    const std::string config = resolved(one.line.front(), {one.line.begin() + 1, one.line.end()});
    for (const std::string& constant : one.constants) EXPECT_HAS(config, "\n" + constant + " ");
  }
}

TEST(ImageConfigTest, HelpTellsTheDefaultsOfTheExperiment) {
  ImageConfig config;
  const std::string help = declare_image_options(config, image_experiment("cifar10_bb")).help();
  for (const char* part : {"B (default 64;", "rate for the energy (default 5e-05;", "(default 0.999;"})
    EXPECT_HAS(help, part);
}

TEST(ImageConfigTest, NetworksOfTheConfiguration) {
  ImageConfig config;
  const ImageExperiment& mnist = image_experiment("mnist_bb");
  declare_image_options(config, mnist);
  EXPECT_EQ(network_options(config, mnist).channels, 1);
  EXPECT_EQ(network_options(config, mnist).width, 2000);
  config.stacked = true;
  EXPECT_EQ(network_options(config, mnist).channels, 3);
  EXPECT_EQ(network_options(config, image_experiment("cifar10_bb")).channels, 3);
  EXPECT_HAS(error_of([] { (void)image_experiment("toy_bb"); }),
             "these are mnist_bb, cifar10_bb, animeface_bb");
}

TEST(ImageConfigTest, MlpsHaveAnEighthOfTheirWidthToSpare) {
  const auto refusal = [](const std::string& program) {
    ImageConfig config;
    Options options = declare_image_options(config, image_experiment(program));
    return error_of([&] { options.set_default("width", 7); });
  };
  EXPECT_HAS(refusal("mnist_bb"), "8..65536");
  EXPECT_EQ(refusal("cifar10_bb"), "(no Error)");
}

}  // namespace
}  // namespace ebm::test
