// SPDX-License-Identifier: MIT
// The experiments on images and `sample` as their user meets them: files, messages and statuses, and death at
// any moment.
#include <signal.h>
#include <unistd.h>

#include <set>

#include "image_experiments_fixture.h"
#include "killed_runs.h"
#include "methods/registry.h"
#include "models/networks.h"
#include "plot/image_grid.h"
#include "reference/random.h"
#include "sampling/latent_points.h"
#include "sampling/sampler.h"
#include "support/networks.h"
#include "train/state.h"

namespace ebm::test {
namespace {

class EveryExperimentTest : public ImageExperimentsTest, public testing::WithParamInterface<Small> {};

TEST_P(EveryExperimentTest, TrainsAndLeavesItsFiles) {
  const Small& small = GetParam();
  write_images("train.h5", 9, small.shape, 1);
  write_images("test.h5", 5, small.shape, 2);
  const Words data{"--data", path("train.h5"), "--held-out", path("test.h5"), "--iterations",
                   "4",      "--log-every",    "1"};
  const Finished done = run(small, "run", data);
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_HAS(done.out, "device: cpu");
  EXPECT_HAS(done.out, "done: 4 iterations; samples " + path("run/samples.png"));
  expect_picture("run/samples.png", small.page, small.page);
  EXPECT_TRUE(bytes_of(*this / "run/samples/samples-00000004.png") == bytes_of(*this / "run/samples.png"));
  const MetricTable metrics = read_run_log(*this / "run/run.h5").metrics;
  EXPECT_EQ(metrics.iterations, (std::vector<int64_t>{1, 2, 3, 4}));
  for (const std::string name : {"energy_real", "energy_fake", "penalty", "loss_energy", "entropy",
                                 "share_good", "loss_generator", "energy_held_out", "energy_samples"}) {
    EXPECT_TRUE(std::isfinite(column(metrics, name).back())) << name;
  }
  EXPECT_EQ(column(metrics, "share_good").back(), 1);
  EXPECT_EQ(column(metrics, "share_floored").back(), 0);
  EXPECT_TRUE(std::isnan(column(metrics, "energy_held_out").front()));

  EXPECT_HAS(run(small, "run", data).out, "complete at iteration 4");
  const Finished more =
      run_command({program_path(small.program), "--config", path("run/config.toml"), "--iterations", "6"});
  EXPECT_EQ(more.status, 0) << more.err;
  EXPECT_HAS(more.out, "goes on from iteration 4");

  const Finished drawn = sample({path("run"), "--grid", "2", "--rows", "1", "--columns", "2"});
  EXPECT_EQ(drawn.status, 0) << drawn.err;
  expect_picture("drawn/samples.png", small.page, small.page);
  expect_picture("drawn/interpolations.png", small.page, (small.page - 2) / 2 + 2);
}

TEST_P(EveryExperimentTest, TrainsOnMadeUpImages) {
  const Finished done = train(GetParam(), "run");
  EXPECT_EQ(done.status, 0) << done.err;
  const MetricTable metrics = read_run_log(*this / "run/run.h5").metrics;
  for (const std::string name : {"energy_held_out", "energy_samples", "kl"})
    EXPECT_TRUE(std::isfinite(column(metrics, name).back())) << name;
  EXPECT_LE(column(metrics, "modes").back(), GetParam().shape.channels == 3 ? 100 : 10);
}

INSTANTIATE_TEST_SUITE_P(All, EveryExperimentTest, testing::ValuesIn(small_runs()),
                         [](const auto& info) { return info.param.name; });

TEST_F(ImageExperimentsTest, EveryMethodAndPresetTrainsWithItsConstants) {
  const struct {
    std::string method, preset;
    Words constants;
  } choices[] = {
      {"ebm_bb",
       "paper",
       {"upper_bound = \"bidirectional\"", "penalty_normaliser = \"d\"", "entropy_weight = 1.0",
        "lobpcg_direction = \"orthonormal\"", "entropy_z = \"energy\"", "adam_epsilon = 1e-08"}},
      {"ebm_bb",
       "code",
       {"upper_bound = \"bidirectional\"", "penalty_normaliser = \"none\"", "entropy_weight = 0.0001",
        "lobpcg_direction = \"authors\"", "entropy_z = \"energy\"", "adam_epsilon = 1e-06"}},
      {"ebm_0gp",
       "paper",
       {"upper_bound = \"gp_real\"", "penalty_weight = 0.001", "entropy_weight = 1.0",
        "entropy_z = \"generator\"", "lower_bound = \"lobpcg\""}},
      {"ebm_0gp", "code", {"upper_bound = \"gp_real\"", "penalty_weight = 0.001", "entropy_weight = 0.0001"}},
      {"wgan_0gp",
       "paper",
       {"upper_bound = \"gp_interpolated\"", "penalty_weight = 0.1", "lower_bound = \"none\"",
        "entropy_weight = 0.0"}},
      {"wgan_0gp", "code", {"upper_bound = \"gp_interpolated\"", "lower_bound = \"none\""}},
      {"meg",
       "paper",
       {"penalty_weight = 0.1", "penalty_norm = \"flat\"", "information_weight = 1.0", "energy_steps = 5",
        "lr_statistics = 0.0001", "adam_beta1 = 0.5", "initial = \"pytorch\""}},
      {"meg",
       "code",
       {"penalty_weight = 10.0", "penalty_norm = \"channel\"", "energy_steps = 5", "initial = \"normal\""}},
      {"vera",
       "paper",
       {"penalty_weight = 0.1", "entropy_weight = 0.0001", "importance_samples = 20", "lr_posterior = 5e-05",
        "sigma_min = 0.01", "sigma_max = 0.3", "adam_beta2 = 0.999"}},
      {"vera",
       "code",
       {"lr_energy = 3e-05", "lr_generator = 6e-05", "lr_posterior = 3e-05", "adam_beta2 = 0.9"}},
      {"dcgan",
       "paper",
       {"networks = \"shared\"", "energy_steps = 2", "adam_beta1 = 0.5", "adam_beta2 = 0.999",
        "initial = \"orthogonal\""}},
      {"dcgan", "code", {"networks = \"own\"", "energy_steps = 2", "generator_batch = 0"}},
      {"sngan",
       "paper",
       {"networks = \"shared\"", "energy_steps = 5", "generator_batch = 128", "lr_schedule = \"linear\"",
        "lr_horizon = 3", "initial = \"glorot\""}},
      {"sngan", "code", {"networks = \"own\"", "adam_beta1 = 0.0", "adam_beta2 = 0.9"}}};
  std::set<std::string> covered;
  for (const auto& choice : choices) {
    const std::string out = choice.method + "_" + choice.preset;
    covered.insert(choice.method);
    const Finished done = train(cifar_, out, {"--method", choice.method, "--preset", choice.preset});
    EXPECT_EQ(done.status, 0) << out << ": " << done.err;
    const std::string config = bytes_of(*this / out / "config.toml");
    for (const std::string& constant : choice.constants) EXPECT_HAS(config, "\n" + constant + " ");
  }
  EXPECT_EQ(covered.size(), methods().size());
}

TEST_F(ImageExperimentsTest, AnOptionThatChangesNothingIsOneLine) {
  expect_refused("cifar10_bb", train(cifar_, "run", {"--method", "wgan_0gp", "--entropy-weight", "3"}), 2,
                 "--entropy-weight has no use with --lower-bound none");
  EXPECT_FALSE(std::filesystem::exists(*this / "run"));
}

TEST_F(ImageExperimentsTest, HeldOutEnergyIsThatOfTheCheckpoint) {
  constexpr int64_t count = 20, most = 18;  // more than are measured at a time
  write_images("train.h5", 9, cifar_.shape, 1);
  const Dataset held_out = write_images("test.h5", count, cifar_.shape, 2);
  const Finished done = run(cifar_, "run",
                            {"--data", path("train.h5"), "--held-out", path("test.h5"), "--held-out-images",
                             std::to_string(most), "--iterations", "2", "--lr-energy", "0.01"});
  ASSERT_EQ(done.status, 0) << done.err;

  const auto kernels = open_device("cpu");
  Network energy(*kernels, energy_layers({.kind = NetworkKind::dcgan, .latent = 3, .width = 2}));
  read_network(open_checkpoint(*newest_checkpoint(*this / "run")), *kernels, energy, "energy/");
  std::vector<float> x;
  for (int64_t i = 0; i < most * cifar_.shape.size(); ++i)
    x.push_back(2 * static_cast<float>(held_out.images[static_cast<size_t>(i)]) / 255 - 1);
  Tensor images(*kernels, most, cifar_.shape);
  images.upload(x);
  const Tensor energies = unwritten(*kernels, most, flat(1));
  energy.forward(*energy.make_trace({.batch = most}), images, energies);
  double mean = 0;
  for (const float e : energies.download()) mean += static_cast<double>(e) / most;
  EXPECT_TRUE(
      close(static_cast<float>(column(read_run_log(*this / "run/run.h5").metrics, "energy_held_out").back()),
            mean));
}

TEST_F(ImageExperimentsTest, DataThatDoNotFitAreOneLine) {
  const auto refused = [&](const std::string& out, const Words& more, const std::string& message) {
    expect_refused("cifar10_bb", run(cifar_, out, more), 1, message);
  };
  const std::string train_file = path("train.h5");
  refused("a", {"--data", path("none.h5")}, "there is no data file '" + path("none.h5") + "'");
  refused("a", {"--data", path("none.h5")}, "./experiments/prepare_data");
  refused("a", {"--data", path("none.h5")}, "; or train on made up images with --synthetic");
  write_images("grey.h5", 9, {28, 28, 1}, 1);
  refused("a", {"--data", path("grey.h5")},
          path("grey.h5") + " has images of 28x28x1, these networks are for 32x32x3; give another --data");
  EXPECT_FALSE(exists(*this / "a"));

  write_images("train.h5", 9, cifar_.shape, 1);
  refused("b", {"--data", train_file, "--held-out", path("grey.h5")}, "give another --held-out");
  write_file(*this / "damaged.h5", bytes_of(train_file).substr(0, 5000));
  refused("c", {"--data", path("damaged.h5")}, path("damaged.h5"));

  const Words go{"--data", train_file, "--iterations", "2"};
  ASSERT_EQ(run(cifar_, "run", go).status, 0);
  write_images("train.h5", 9, cifar_.shape, 2);
  refused("run", go, "data_checksum: the run has crc32:");
  refused("run", {"--config", path("run/config.toml")}, "not crc32:");
  expect_refused("cifar10_bb", train(cifar_, "run"), 1, "synthetic: the run has false, now true");
  expect_refused("cifar10_bb", train(cifar_, "d", {"--data-checksum", "crc32:1"}), 1,
                 "the images of --synthetic are shapes:1, not crc32:1");
}

TEST_F(ImageExperimentsTest, AnotherProgramsFolderIsRefused) {
  ASSERT_EQ(train(cifar_, "run").status, 0);
  const Small anime = small_runs().back();
  expect_refused("animeface_bb", train(anime, "run"), 1, "program: the run has cifar10_bb, now animeface_bb");
  expect_refused("animeface_bb", train(anime, "a", {"--config", path("run/config.toml")}), 1,
                 "this is a configuration of 'cifar10_bb'");
}

TEST_F(ImageExperimentsTest, ADumpHoldsImagesAndWeightsInPytorchsOrder) {
  const Dataset data = write_images("train.h5", 4, cifar_.shape, 1);  // one batch, in some order
  ASSERT_EQ(run(cifar_, "run",
                {"--data", path("train.h5"), "--iterations", "3", "--dump-iteration", "2", "--flips", "none"})
                .status,
            0);
  const Hdf5File dump = Hdf5File::open_read(*this / "run/iteration-2.h5", Hdf5File::Strings::variable);
  const auto dims = [&](const std::string& name) { return dump.read_dataset<float>(name).dims; };
  using Shape = std::vector<int64_t>;
  EXPECT_EQ(dims("inputs/x"), (Shape{4, 3, 32, 32}));
  EXPECT_EQ(dims("inputs/z"), (Shape{4, 3}));
  for (const std::string part : {"before/", "after/", "gradients/", "before/adam/", "after/adam/"}) {
    const std::string moment = part.ends_with("adam/") ? "/exp_avg/" : "/";
    EXPECT_EQ(dims(part + "energy" + moment + "main.2.weight"), (Shape{2, 2, 4, 4})) << part;
    EXPECT_EQ(dims(part + "energy" + moment + "main.4.weight"), (Shape{4, 2, 3, 3})) << part;
    EXPECT_EQ(dims(part + "energy" + moment + "expand.weight"), (Shape{1, 256})) << part;
    EXPECT_EQ(dims(part + "generator" + moment + "main.2.weight"), (Shape{16, 8, 4, 4})) << part;
    EXPECT_EQ(dims(part + "generator" + moment + "main.11.weight"), (Shape{3, 2, 3, 3})) << part;
  }
  const std::vector<float> x = dump.read_dataset<float>("inputs/x").values;
  const int64_t size = cifar_.shape.size(), pixels = cifar_.shape.pixels();
  std::vector<int> seen;
  for (int64_t row = 0; row < 4; ++row) {
    for (int image = 0; image < 4; ++image) {
      bool same = true;
      for (int64_t i = 0; i < size && same; ++i) {
        const uint8_t byte = data.image(image)[static_cast<size_t>(i % pixels * 3 + i / pixels)];
        const float expected = 2 * static_cast<float>(byte) / 255 - 1;
        same = std::abs(x[static_cast<size_t>(row * size + i)] - expected) < 1e-6f;
      }
      if (same) seen.push_back(image);
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(ImageExperimentsTest, KilledAndResumedItIsTheUninterruptedRun) {
  write_images("train.h5", 9, cifar_.shape, 1);
  write_images("test.h5", 5, cifar_.shape, 2);
  const Words options{
      "--data", path("train.h5"), "--held-out", path("test.h5"), "--log-every", "7", "--checkpoint-every",
      "10",     "--eval-every",   "25",         "--iterations",  "60"};
  expect_kills_change_nothing(command(cifar_, "run", options), *this / "run", 8, 60, "samples.png");
}

TEST_F(ImageExperimentsTest, StoppedBySigtermAndResumedItIsTheUninterruptedRun) {
  write_images("train.h5", 9, cifar_.shape, 1);
  const Words options{"--data", path("train.h5"), "--log-every", "7", "--checkpoint-every", "10"};
  const auto with_iterations = [&](int64_t iterations) {
    Words words = options;
    words.insert(words.end(), {"--iterations", std::to_string(iterations)});
    return words;
  };
  Process process(command(cifar_, "run", with_iterations(100'000'000)));
  while (process.running() && numbered_files(*this / "run/checkpoints", "iteration-", ".h5").empty())
    usleep(1000);
  process.signal(SIGTERM);
  const Finished ended = process.wait();
  EXPECT_EQ(ended.status, 143) << ended.err;
  EXPECT_HAS(ended.out, "stopped by SIGTERM");
  const int64_t end = read_checkpoint_info(*newest_checkpoint(*this / "run")).iteration + 10;
  ASSERT_EQ(run(cifar_, "run", with_iterations(end)).status, 0);
  std::filesystem::rename(*this / "run", *this / "resumed");
  ASSERT_EQ(run(cifar_, "run", with_iterations(end)).status, 0);
  expect_same_runs(*this / "run", *this / "resumed", end);
}

/// On the emulated GPU, whose convolutions all take the same time.
TEST_F(ImageExperimentsTest, PlansOfConvolutionsAreKeptInTheFolder) {
  const auto names = devices_with_convolutions();
  if (std::find(names.begin(), names.end(), "emulated") == names.end())
    GTEST_SKIP() << "no emulated convolutions";
  const auto train_on_gpu = [&](const std::string& out, const std::string& iterations,
                                const Words& more = {}) {
    Words words{"/usr/bin/env", "EBM_CUDA_LIBRARY=" + emulated_library()};
    const Words training =
        command(cifar_, out, {"--device", "cuda", "--synthetic", "--iterations", iterations});
    words.insert(words.end(), training.begin(), training.end());
    words.insert(words.end(), more.begin(), more.end());
    const Finished end = run_command(words);
    EXPECT_EQ(end.status, 0) << end.err;
    return end.err;
  };
  EXPECT_EQ(train_on_gpu("kept", "1").find("note: "), std::string::npos);
  const std::string plans = path("kept") + "/convolution_plans.txt", kept = bytes_of(plans);
  EXPECT_TRUE(kept.starts_with("ebm convolution plans 1\nfor emulated on the CPU, cuDNN ")) << kept;
  EXPECT_NE(kept.find(": gradient by the weight of 8 images of 32x32x3 to 2 channels"), std::string::npos)
      << kept;

  std::ofstream(plans, std::ios::binary | std::ios::app) << "?";
  const std::string note = train_on_gpu("kept", "2");
  EXPECT_NE(note.find("note: " + plans + " is not used, since it is damaged"), std::string::npos) << note;
  EXPECT_EQ(bytes_of(plans), kept);

  train_on_gpu("same_bits", "1", {"--deterministic"});
  EXPECT_FALSE(std::filesystem::exists(path("same_bits") + "/convolution_plans.txt"));
}

TEST_F(ImageExperimentsTest, SampleDrawsTheGeneratorOfACheckpoint) {
  ASSERT_EQ(train(cifar_, "run", {"--lr-generator", "0.01"}).status, 0);
  const auto checkpoint = *newest_checkpoint(*this / "run");
  const Words sizes{"--grid", "3", "--rows", "2", "--columns", "4", "--seed", "5"};
  const auto draw = [&](const std::string& from, Words words) {
    words.push_back(from);
    const Finished done = sample(words);
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.out, path("drawn/samples.png") + "\n" + path("drawn/interpolations.png") + "\n");
    return bytes_of(*this / "drawn/samples.png") + bytes_of(*this / "drawn/interpolations.png");
  };
  const std::string drawn = draw(checkpoint.string(), sizes);
  expect_picture("drawn/samples.png", 200, 200);
  expect_picture("drawn/interpolations.png", 266, 134);
  const auto kernels = open_device("cpu");
  Network generator(*kernels, generator_layers({.kind = NetworkKind::dcgan, .latent = 3, .width = 2}));
  read_network(open_checkpoint(checkpoint), *kernels, generator, "generator/");
  const auto expected =
      image_grid(NetworkSampler(*kernels, generator, 64).samples(latent_points(*kernels, 5, 0, 9, flat(3))),
                 cifar_.shape, 3);
  EXPECT_TRUE(read_png(*this / "drawn/samples.png").rgb == expected.rgb);

  EXPECT_TRUE(draw(path("run"), sizes) == drawn);
  const Finished made = sample({checkpoint.string(), "--out", path("new/folder")});
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(std::filesystem::exists(*this / "new/folder/samples.png"));
  write_file(*this / "file", "no folder");
  expect_refused("sample", sample({checkpoint.string(), "--out", path("file/x.png")}), 1, "Not a directory");
  EXPECT_FALSE(draw(path("run"), {"--grid", "3", "--rows", "2", "--columns", "4", "--seed", "6"}) == drawn);
}

TEST_F(ImageExperimentsTest, SampleRefusesWhatIsNoCheckpointOfImages) {
  const auto refused = [&](const Words& words, int status, const std::string& message) {
    expect_refused("sample", sample(words), status, message);
  };
  refused({}, 2, "CHECKPOINT is missing");
  refused({path("none")}, 1, "there is no '" + path("none") + "'");
  refused({path("")}, 1, "has no checkpoints/iteration-N.h5");
  write_file(*this / "text", "no checkpoint");
  refused({path("text")}, 1, "as HDF5");
  EXPECT_FALSE(contains(sample({path("text")}).err, "remove")) << "nobody resumes here";
  write_images("train.h5", 4, cifar_.shape, 1);
  refused({path("train.h5")}, 1, path("train.h5"));
  ASSERT_EQ(
      run_command({program_path("toy_bb"), "--device", "cpu", "--hidden", "8", "--batch", "10", "--eval-grid",
                   "20", "--eval-points", "100", "--iterations", "2", "--out", path("toy")})
          .status,
      0);
  refused({path("toy")}, 1, "holds no networks of images");
  EXPECT_EQ(count_files(), 4) << "drawn, text, train.h5, toy";
  EXPECT_TRUE(std::filesystem::is_empty(*this / "drawn"));
}

}  // namespace
}  // namespace ebm::test
