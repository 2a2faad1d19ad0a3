// SPDX-License-Identifier: MIT
#include "../io/io_fixture.h"
#include "runs/image_run.h"
#include "runs/trained_model.h"
#include "support/process.h"

namespace ebm::test {
namespace {

using Words = std::vector<std::string>;

constexpr DataSplit test_split = DataSplit::test;

ImageExperiment digits() {
  return {.program = "digits_bb",
          .description = "",
          .name = "digits",
          .data = "mnist",
          .held_out = test_split,
          .flips = Flips::none,
          .networks = mlp_networks(),
          .iterations = 56250,
          .stacked_iterations = 120000};
}
ImageExperiment pictures() {
  return {.program = "pictures_bb",
          .description = "",
          .name = "pictures",
          .data = "cifar10",
          .held_out = test_split,
          .flips = Flips::horizontal,
          .networks = dcgan_networks(),
          .iterations = 200000};
}

/// The configuration that a command line without a folder comes to.
std::string resolved(const ImageExperiment& experiment, const Words& words) {
  std::vector<const char*> line{experiment.program};
  for (const std::string& word : words) line.push_back(word.c_str());
  const int count = static_cast<int>(line.size());
  ImageConfig config;
  choose_method(config.run, experiment.networks.kind, experiment.program,
                [&](Options& first) { first.peek(count, line.data()); });
  Options options = declare_image_options(config, experiment);
  EXPECT_TRUE(options.parse(count, line.data()));
  resolve_image_defaults(options, config, experiment);
  return options.to_toml();
}

TEST(ImageConfigTest, DefaultsHangOnExperimentMethodAndPreset) {
  const struct {
    ImageExperiment experiment;
    Words line, constants;
  } cases[] = {
      {pictures(), {}, {"hinge = 0.0", "out = \"runs/pictures_ebm_bb_tuned_1\""}},
      {pictures(),
       {"--preset", "paper"},
       {"batch = 64", "latent = 128", "width = 64", "iterations = 200000", "lr_energy = 5e-05",
        "lr_generator = 5e-05", "adam_beta1 = 0.0", "adam_beta2 = 0.999", "hinge = 1.0",
        "flips = \"horizontal\"", "data = \"data/cifar10-train.h5\"", "held_out = \"data/cifar10-test.h5\"",
        "out = \"runs/pictures_ebm_bb_paper_1\"", "energy_steps = 1", "ema = 0.0",
        "lr_schedule = \"constant\"", "lr_horizon = 0"}},
      {pictures(),
       {"--preset", "code", "--synthetic", "--seed", "7"},
       {"hinge = 0.0", "out = \"runs/pictures_synthetic_ebm_bb_code_7\""}},
      {pictures(),
       {"--preset", "code", "--hinge", "2", "--lr-energy", "1"},
       {"hinge = 2.0", "lr_energy = 1.0", "lr_generator = 5e-05"}},
      {pictures(), {"--lr-schedule", "linear"}, {"lr_horizon = 200000"}},
      {pictures(), {"--lr-schedule", "cosine", "--lr-horizon", "9"}, {"lr_horizon = 9"}},
      {digits(),
       {"--preset", "paper"},
       {"batch = 64", "width = 2000", "iterations = 56250", "lr_energy = 0.0002", "lr_generator = 0.0002",
        "adam_beta2 = 0.9", "flips = \"none\"", "data = \"data/mnist-train.h5\"",
        "held_out = \"data/mnist-test.h5\"", "out = \"runs/digits_ebm_bb_paper_1\""}},
      {digits(),
       {"--preset", "paper", "--stacked", "--method", "wgan_0gp"},
       {"penalty_weight = 10.0", "iterations = 120000", "data = \"data/stacked_mnist-train.h5\"",
        "out = \"runs/digits_stacked_wgan_0gp_paper_1\""}}};
  for (const auto& one : cases) {
    const std::string config = resolved(one.experiment, one.line);
    for (const std::string& constant : one.constants) EXPECT_HAS(config, "\n" + constant + " ");
  }
}

/// What each program says of itself: its page in experiments/.
TEST(ImageConfigTest, ThePagesOfTheExperiments) {
  if (program_path("cifar10_bb").empty()) GTEST_SKIP() << "the programs are not built";
  const struct {
    Words line, parts;
  } cases[] = {
      {{"cifar10_bb", "--help"},
       {"(default 64;", "for the energy (default 5e-05;", "(default 0.999;", "default 200000;",
        "(default horizontal)", "dimensions of z, d (default 128;"}},
      {{"mnist_bb", "--help"},
       {"default 56250;", "widest layers (default 2000;", "--stacked", "default 0.9;"}},
      {{"mnist_bb", "--method", "wgan_0gp", "--help"}, {"its weight (default 10;", "(default none)"}},
      {{"animeface_bb", "--help"}, {"default 100000;", "--energy-norm none|batch", "--network-kind resnet"}},
      {{"toy_bb", "--help"},
       {"default 26000;", "(default 25gaussians)", "(default 800;", "(default 20000;",
        "layers (default 128;"}},
      {{"toy_bb", "--preset", "paper", "--help"}, {"default 150000;", "layers (default 100;"}},
      {{"cifar10_bb", "--method", "sngan", "--help"}, {"GAN (defaults depend on"}}};
  for (const auto& one : cases) {
    Words words = one.line;
    words.front() = program_path(words.front());
    const Finished finished = run_command(words);
    EXPECT_EQ(finished.status, 0) << finished.err;
    for (const std::string& part : one.parts) EXPECT_HAS(finished.out, part);
  }
}

TEST(ImageConfigTest, StackedDigitsHaveThreeColours) {
  ImageConfig config;
  config.networks = mlp_networks();
  EXPECT_EQ(config.image_networks().channels, 1);
  config.stacked = true;
  EXPECT_EQ(config.image_networks().channels, 3);
}

TEST(ImageConfigTest, WhatHasNoUseIsRefused) {
  const auto refusal = [](const Words& words) { return error_of([&] { (void)resolved(digits(), words); }); };
  EXPECT_HAS(refusal({"--width", "7"}), "8..65536");
  EXPECT_HAS(refusal({"--lr-horizon", "7"}), "--lr-schedule constant");
  EXPECT_HAS(refusal({"--method", "ebm"}), "--method: 'ebm' is not allowed");
  EXPECT_HAS(refusal({"--config"}), "--config needs a value");
}

TEST(ImageConfigTest, AnOptionThatChangesNothingIsRefused) {
  const auto refusal = [](const Words& words) {
    return error_of([&] { (void)resolved(pictures(), words); });
  };
  EXPECT_HAS(refusal({"--method", "wgan_0gp", "--entropy-weight", "3"}),
             "--entropy-weight has no use with --lower-bound none; leave it out");
  EXPECT_HAS(refusal({"--method", "wgan_0gp", "--entropy-z", "energy"}), "--entropy-z has no use");
  EXPECT_HAS(refusal({"--lower-bound", "slq", "--lobpcg-iterations", "3"}), "with --lower-bound slq");
  EXPECT_HAS(refusal({"--lower-bound", "s1", "--lobpcg-direction", "orthonormal"}), "with --lower-bound s1");
  EXPECT_HAS(refusal({"--slq-pairs", "4"}), "--slq-pairs has no use with --lower-bound lobpcg");
  EXPECT_HAS(refusal({"--upper-bound", "gp_fake", "--penalty-normaliser", "v"}),
             "--penalty-normaliser has no use with --upper-bound gp_fake");
  // Its default says nothing, and each has its use elsewhere.
  for (const Words& words : {Words{"--method", "wgan_0gp", "--entropy-weight", "0"},
                             Words{"--method", "wgan_0gp", "--lower-bound", "s1", "--entropy-weight", "3"},
                             Words{"--lower-bound", "slq", "--slq-pairs", "4"},
                             Words{"--lobpcg-iterations", "3", "--penalty-normaliser", "v"}})
    EXPECT_NE(resolved(pictures(), words), "");
}

// --- what is read back of a checkpoint's configuration

TEST(TrainedModelTest, IsThatOfTheConfiguration) {
  const TrainedModel colour =
      trained_model(resolved(digits(), {"--stacked", "--latent", "7", "--width", "24"}), "a.h5");
  EXPECT_EQ(colour.networks.kind, NetworkKind::mlp);
  EXPECT_EQ(colour.networks.channels, 3);
  EXPECT_EQ(colour.networks.latent, 7);
  EXPECT_EQ(colour.networks.width, 24);
  EXPECT_EQ(colour.generator, "generator/");
  const TrainedModel own =
      trained_model(resolved(pictures(), {"--method", "sngan", "--preset", "code", "--ema", "0.9"}), "a.h5");
  EXPECT_EQ(own.networks.kind, NetworkKind::dcgan);
  EXPECT_EQ(own.networks.family, NetworkFamily::sngan);
  EXPECT_EQ(own.generator, "ema/generator/");
}

TEST(TrainedModelTest, OfPointsHasItsDataSet) {
  const std::string config =
      "program = \"toy_bb\"\nnetwork_kind = \"toy\"\nmethod = \"meg\"\nhidden = 17\ndataset = "
      "\"two_moons\"\nseed = 5\n";
  const TrainedModel model = any_trained_model(config, "toy.h5");
  EXPECT_EQ(model.toy, ToyDataset::two_moons);
  EXPECT_EQ(model.networks.width, 17);
  EXPECT_EQ(model.networks.latent, toy_networks().latent);
  EXPECT_EQ(model.seed, 5);
  EXPECT_FALSE(any_trained_model("program = \"mnist_bb\"\nmethod = \"meg\"\n", "a.h5").toy);
}

/// Before the kind was recorded, three programs wrote checkpoints of images.
TEST(TrainedModelTest, OfAnOlderRunGoesByItsProgram) {
  const auto kind = [](const std::string& program) {
    const std::string config = "program = \"" + program + "\"\nlatent = 7\nwidth = 16\nmethod = \"meg\"\n";
    return trained_model(config, "old.h5").networks.kind;
  };
  EXPECT_EQ(kind("mnist_bb"), NetworkKind::mlp);
  EXPECT_EQ(kind("cifar10_bb"), NetworkKind::dcgan);
  EXPECT_EQ(kind("animeface_bb"), NetworkKind::resnet);
  for (const char* other : {"toy_bb", "pictures_bb"})
    EXPECT_HAS(error_of([&] { (void)kind(other); }), "old.h5 holds no networks of images");
  EXPECT_HAS(
      error_of([] { (void)any_trained_model("program = \"pictures_bb\"\nmethod = \"meg\"\n", "old.h5"); }),
      "old.h5 holds no networks of images");
  const std::string toy = "program = \"pictures_bb\"\nnetwork_kind = \"toy\"\n";
  EXPECT_HAS(error_of([&] { (void)trained_model(toy, "toy.h5"); }), "toy.h5 holds no networks of images");
}

}  // namespace
}  // namespace ebm::test
