// SPDX-License-Identifier: MIT
// ./experiments/evaluate counts modes of a stacked run in both ways; the counts are made again here by plain sums.
#include <cmath>
#include <map>

#include "../io/io_fixture.h"
#include "evaluate/evaluation_file.h"
#include "evaluate/model_measures.h"
#include "metrics/shape_templates.h"
#include "runs/trained_model.h"
#include "support/devices.h"
#include "support/process.h"
#include "train/run_folder.h"

namespace ebm::test {
namespace {

using Words = std::vector<std::string>;

class CountedModesTest : public IoTest {
 protected:
  static constexpr int64_t samples = 50;
  static constexpr int labels = 1700;
  /// Each of 1000, some twice.
  static int64_t label_of(int64_t i) { return i < 1000 ? i : i * i % 1000; }

  std::string path(const char* name) const { return (*this / name).string(); }
  static void run(const Words& words) {
    const Finished finished = run_command(words);
    ASSERT_EQ(finished.status, 0) << finished.err;
  }
  void SetUp() override {
    IoTest::SetUp();
    for (const char* name : {"mnist_bb", "evaluate", "digit_classifier"})
      if (program_path(name).empty()) GTEST_SKIP() << "the programs are not built";
    // Bright bars whose place is the label; a classifier of a few steps tells some of them apart.
    for (const auto& [name, channels, count] :
         {std::tuple{"digits.h5", 1, 300}, std::tuple{"stacked.h5", 3, labels}}) {
      write_image_file(*this / name, [channels = channels, count = count](ImageSink& sink) {
        sink.begin(
            {.name = "bars", .shape = {.height = 28, .width = 28, .channels = channels}, .count = count});
        for (int64_t i = 0; i < count; ++i) {
          std::vector<uint8_t> image(static_cast<size_t>(784 * channels), 10);
          for (size_t k = 0; k < 56; ++k) image[static_cast<size_t>(i % 10) * 56 * channels + k] = 250;
          sink.add(image, channels == 1 ? i % 10 : label_of(i));
        }
      });
    }
    run({program_path("mnist_bb"),
         "--device",
         "cpu",
         "--stacked",
         "--data",
         path("stacked.h5"),
         "--method",
         "vera",
         "--batch",
         "4",
         "--latent",
         "3",
         "--width",
         "64",
         "--grid",
         "2",
         "--iterations",
         "2",
         "--initial",
         "glorot",
         "--out",
         path("run")});
    run({program_path("digit_classifier"), "--device", "cpu", "--data", path("digits.h5"), "--test",
         path("digits.h5"), "--out", path("classifier.h5"), "--epochs", "2", "--batch", "20"});
  }
  void evaluate(const Words& more) {
    Words words{program_path("evaluate"),
                path("run"),
                "--device",
                "cpu",
                "--metrics",
                "modes",
                "--repeats",
                "1",
                "--samples",
                std::to_string(samples),
                "--classifier",
                path("classifier.h5")};
    words.insert(words.end(), more.begin(), more.end());
    run(words);
  }
  /// Digits of the samples with seed 1.
  std::vector<int64_t> digits(const std::optional<uint64_t>& noise) {
    const auto kernels = open_device("cpu");
    const Hdf5File checkpoint = open_checkpoint(*newest_checkpoint(path("run")));
    TrainedSampler sampler(*kernels, checkpoint,
                           trained_model(checkpoint.read_attribute<std::string>("/", "config"), "run"),
                           noise);
    ImageClassifier classifier = ImageClassifier::open(*kernels, path("classifier.h5"));
    return sampled_digits(*kernels, sampler, classifier, {.count = samples, .seed = 1}, [](int64_t) {});
  }
  void expect_kept(const char* name, double modes, double kl) const {
    const EvaluationFile file(*this / "run/evaluation.h5");
    const MeasuredMetric* const metric = file.find(name);
    ASSERT_NE(metric, nullptr) << name;
    EXPECT_EQ(metric->values.at(1).repeats.at(0), modes);
    EXPECT_NEAR(metric->values.at(0).repeats.at(0), kl, 1e-12);
  }
};

TEST_F(CountedModesTest, AsMegAndAsVera) {
  std::map<int64_t, double> q;
  const std::vector<int64_t> of_means = digits({});
  for (size_t i = 0; i < of_means.size(); i += 3)
    q[100 * of_means[i] + 10 * of_means[i + 1] + of_means[i + 2]] += 1.0 / samples;
  double kl = 0;
  for (const auto& [mode, share] : q) kl += share * std::log(share * 1000);
  EXPECT_GT(q.size(), 1u);
  evaluate({});
  expect_kept("modes", static_cast<double>(q.size()), kl);

  std::map<int64_t, double> noisy, training;
  const std::vector<int64_t> with_noise = digits(1);
  for (size_t i = 0; i < with_noise.size(); i += 3)
    noisy[100 * with_noise[i] + 10 * with_noise[i + 1] + with_noise[i + 2]] += 1.0 / samples;
  for (int64_t i = 0; i < labels; ++i) {
    const int64_t label = label_of(i);  // its digits reversed
    training[100 * (label % 10) + 10 * (label / 10 % 10) + label / 100] += 1.0 / labels;
  }
  kl = 0;
  for (const auto& [mode, share] : noisy)
    if (training.contains(mode)) kl += share * std::log(share / training[mode]);
  EXPECT_GT(noisy.size(), 1u);
  EXPECT_NE(kl, 0) << "some mode has a label";
  evaluate({"--counting", "vera", "--train", path("stacked.h5")});
  expect_kept("modes_vera", static_cast<double>(noisy.size()), kl);
}

TEST_F(CountedModesTest, OfARunOnShapesByTheNearestTemplate) {
  run({program_path("mnist_bb"),
       "--device",
       "cpu",
       "--synthetic",
       "--stacked",
       "--batch",
       "4",
       "--latent",
       "3",
       "--width",
       "64",
       "--grid",
       "2",
       "--iterations",
       "1",
       "--shape-samples",
       "20",
       "--hinge",
       "0",
       "--out",
       path("shapes")});
  run({program_path("evaluate"), path("shapes"), "--device", "cpu", "--metrics", "modes", "--repeats", "1",
       "--samples", "30"});
  const EvaluationFile file(*this / "shapes/evaluation.h5");
  const MeasuredMetric* const metric = file.find("modes");
  ASSERT_NE(metric, nullptr);
  EXPECT_HAS(metric->protocol, "30 samples, nearest template of shapes of 28x28x3");
  const auto kernels = open_device("cpu");
  const Hdf5File checkpoint = open_checkpoint(*newest_checkpoint(path("shapes")));
  const TrainedModel model = trained_model(checkpoint.read_attribute<std::string>("/", "config"), "shapes");
  EXPECT_TRUE(model.shapes);
  TrainedSampler sampler(*kernels, checkpoint, model);
  const ShapeCoverage found =
      ShapeTemplates(sampler.output()).coverage(mode_samples(*kernels, sampler, 30, 1));
  for (const MeasuredValue& value : metric->values) {
    const double expected = value.name == "modes" ? static_cast<double>(found.modes)
                            : value.name == "kl"  ? found.kl
                                                  : found.high_quality;
    EXPECT_EQ(value.repeats.at(0), expected) << value.name;
  }
  const std::string table = run_command({program_path("tables"), path("shapes"), "--data", "shapes"}).out;
  EXPECT_HAS(table, "EBM-BB");
  EXPECT_HAS(table, "30 samples, nearest template");
}

}  // namespace
}  // namespace ebm::test
