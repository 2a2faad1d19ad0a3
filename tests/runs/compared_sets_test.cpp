// SPDX-License-Identifier: MIT
// Samples of a run of two iterations compared with images of a file, by features whose distances are plain sums.
#include "runs/compared_sets.h"

#include <cmath>

#include "../io/io_fixture.h"
#include "core/error.h"
#include "data/image_file.h"
#include "sampling/latent_points.h"
#include "support/devices.h"
#include "support/process.h"

namespace ebm::test {
namespace {

constexpr Features shape{.height = 32, .width = 32, .channels = 3};

/// The sum of an image's bytes / 1000; two logits of it. Counts the images.
class Brightness final : public ImageFeatures {
 public:
  int64_t seen = 0;
  template <class Pixel>
  static float of(std::span<const Pixel> image) {
    double sum = 0;
    for (const Pixel pixel : image) sum += pixel;
    return static_cast<float>(sum / 1000);
  }
  std::string name() const override { return "brightness"; }
  int64_t features() const override { return 1; }
  int64_t classes() const override { return 2; }
  void compute(const PixelValues& images, int64_t n, const Features& of_images, float* features,
               float* logits) override {
    std::visit([&](auto pixels) { of_pixels(pixels, n, of_images, features, logits); }, images);
  }

 private:
  template <class Pixel>
  void of_pixels(std::span<const Pixel> images, int64_t n, const Features& of_images, float* features,
                 float* logits) {
    const auto size = static_cast<size_t>(of_images.size());
    for (int64_t i = 0; i < n; ++i, ++seen) {
      features[i] = of<Pixel>(images.subspan(static_cast<size_t>(i) * size, size));
      logits[2 * i] = 0;
      logits[2 * i + 1] = features[i] - 390;
    }
  }
};

class ComparedSetsTest : public IoTest {
 protected:
  static constexpr int64_t images = 40;

  void SetUp() override {
    IoTest::SetUp();
    if (program_path("cifar10_bb").empty()) GTEST_SKIP() << "the programs are not built";
    const Finished trained = run_command({program_path("cifar10_bb"),
                                          "--device",
                                          "cpu",
                                          "--synthetic",
                                          "--shape-samples",
                                          "20",
                                          "--method",
                                          "wgan_0gp",
                                          "--batch",
                                          "4",
                                          "--latent",
                                          "3",
                                          "--width",
                                          "2",
                                          "--grid",
                                          "2",
                                          "--iterations",
                                          "2",
                                          "--out",
                                          (*this / "run").string()});
    ASSERT_EQ(trained.status, 0) << trained.err;
    write_image_file(*this / "real.h5", [&](ImageSink& sink) {
      sink.begin({.name = "made_up",
                  .split = DataSplit::test,
                  .source = "made up",
                  .shape = shape,
                  .count = images});
      for (int64_t i = 0; i < images; ++i) {
        std::vector<uint8_t> image(static_cast<size_t>(shape.size()), static_cast<uint8_t>(80 + 3 * i));
        sink.add(image, i % 10);
        real_.push_back(Brightness::of(std::span<const uint8_t>(image)));
      }
    });
    options_ = {.kind = FeatureKind::classifier,
                .samples = 60,
                .in = (*this / "real.h5").string(),
                .score_splits = 1,
                .kernel_subsets = 1,
                .kernel_subset_size = images,
                .clusterings = 1,
                .seed = 7,
                .repeats = 2};
  }
  void compare(const std::vector<SetMeasure>& measures) {
    features_.seen = 0;
    MeasuredRun run(*this / "run", request_);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    compare_sets(*kernels_, run, features_, measures, options_);
    out_ = testing::internal::GetCapturedStdout();
    testing::internal::GetCapturedStderr();
  }
  std::vector<double> kept(const char* name, const char* value) const {
    const EvaluationFile file(*this / "run/evaluation.h5");
    const MeasuredMetric* const metric = file.find(name);
    if (metric == nullptr) return {};
    for (const MeasuredValue& number : metric->values)
      if (number.name == value) return number.repeats;
    return {};
  }
  /// Brightness of samples, from the generator itself.
  std::vector<double> sampled(uint64_t seed, int64_t count, SampleValues values = SampleValues::bytes) {
    const MeasuredRun run(*this / "run", request_);
    TrainedSampler sampler(*kernels_, run.checkpoint(), run.model());
    const std::vector<float> pixels =
        sampler.samples(latent_points(*kernels_, seed, 4, count, sampler.latent()));
    std::vector<double> all(static_cast<size_t>(count));
    for (size_t i = 0; i < pixels.size(); ++i) {
      const double number = 127.5 * (std::min(std::max(pixels[i], -1.0f), 1.0f) + 1.0);
      all[i / static_cast<size_t>(shape.size())] +=
          (values == SampleValues::bytes ? std::floor(number + 0.5) : number) / 1000;
    }
    return all;
  }

  StopRequest request_;
  std::unique_ptr<Kernels> kernels_ = open_device("cpu");
  Brightness features_;
  SetOptions options_;
  std::vector<double> real_;
  std::string out_;
};

struct Gaussian {
  double mean = 0, deviation = 0;
};
Gaussian gaussian_of(const std::vector<double>& x) {
  Gaussian g;
  for (const double value : x) g.mean += value / static_cast<double>(x.size());
  for (const double value : x) g.deviation += (value - g.mean) * (value - g.mean);
  g.deviation = std::sqrt(g.deviation / static_cast<double>(x.size() - 1));
  return g;
}

TEST_F(ComparedSetsTest, AreTheFormulasOfSamplesAndOfTheFile) {
  compare({SetMeasure::score, SetMeasure::frechet_distance, SetMeasure::kernel_distance,
           SetMeasure::precision_recall});
  EXPECT_EQ(features_.seen, images + 2 * 60) << "all measures share the samples' features";
  const Gaussian real = gaussian_of(real_);
  for (size_t repeat = 0; repeat < 2; ++repeat) {
    const std::vector<double> all = sampled(7 + repeat, 60), some(all.begin(), all.begin() + images);
    const Gaussian made = gaussian_of(some);
    const double frechet = std::pow(real.mean - made.mean, 2) + std::pow(real.deviation - made.deviation, 2);
    EXPECT_NEAR(kept("classifier_frechet", "distance").at(repeat) / frechet, 1, 1e-5);

    const auto kernel = [](double x, double y) { return std::pow(x * y + 1, 3); };
    double mmd = 0;
    for (size_t i = 0; i < images; ++i) {
      for (size_t j = 0; j < images; ++j) {
        if (i != j) mmd += (kernel(real_[i], real_[j]) + kernel(some[i], some[j])) / (images * (images - 1));
        mmd -= 2 * kernel(real_[i], some[j]) / (images * images);
      }
    }
    EXPECT_NEAR(kept("classifier_kernel_distance", "mean").at(repeat) / mmd, 1, 1e-4);

    double q = 0, entropy = 0;
    for (const double x : all) {
      const double p = 1 / (1 + std::exp(390 - x));
      q += p / 60;
      entropy += (p * std::log(p) + (1 - p) * std::log(1 - p)) / 60;
    }
    const double score = std::exp(entropy - q * std::log(q) - (1 - q) * std::log(1 - q));
    EXPECT_NEAR(kept("classifier_score", "mean").at(repeat), score, 1e-4);
    const double f8 = kept("classifier_precision_recall", "f8").at(repeat);
    EXPECT_GE(f8, 0);
    EXPECT_LE(f8, 1);
  }
  EXPECT_HAS(out_, "classifier_frechet:  distance ");
  EXPECT_EQ(out_.find("fid"), std::string::npos);
}

TEST_F(ComparedSetsTest, SamplesThatAreNotRounded) {
  options_.values = SampleValues::floats;
  options_.repeats = 1;
  compare({SetMeasure::frechet_distance});
  const Gaussian real = gaussian_of(real_), made = gaussian_of(sampled(7, images, SampleValues::floats)),
                 rounded = gaussian_of(sampled(7, images));
  const double frechet = std::pow(real.mean - made.mean, 2) + std::pow(real.deviation - made.deviation, 2);
  EXPECT_NE(made.mean, rounded.mean);
  EXPECT_NEAR(kept("classifier_frechet", "distance").at(0) / frechet, 1, 1e-5);
  EXPECT_HAS(EvaluationFile(*this / "run/evaluation.h5").find("classifier_frechet")->protocol,
             "40 samples not rounded to bytes against 40 of 40 images of made_up test");
}

TEST_F(ComparedSetsTest, WhatWasMeasuredStandsAndMoreRepeatsGoOn) {
  options_.repeats = 1;
  compare({SetMeasure::frechet_distance});
  EXPECT_EQ(features_.seen, images + images) << "no more samples than real images";
  const double first = kept("classifier_frechet", "distance").at(0);
  compare({SetMeasure::frechet_distance});
  EXPECT_EQ(features_.seen, 0);
  options_.repeats = 3;
  compare({SetMeasure::score, SetMeasure::frechet_distance});
  EXPECT_EQ(features_.seen, 3 * 60) << "real images are in the cache";
  EXPECT_EQ(kept("classifier_frechet", "distance").size(), 3u);
  EXPECT_EQ(kept("classifier_frechet", "distance").at(0), first);
  EXPECT_EQ(kept("classifier_score", "mean").size(), 3u);
  options_.kind = FeatureKind::inception;
  compare({SetMeasure::frechet_distance});
  EXPECT_EQ(kept("fid", "distance").size(), 3u);
}

TEST_F(ComparedSetsTest, ASignalEndsItAndItGoesOn) {
  raise(SIGUSR1);
  MeasuredRun run(*this / "run", request_);
  EXPECT_HAS(error_of([&] { compare_sets(*kernels_, run, features_, {SetMeasure::score}, options_); }),
             "stopped by SIGUSR1; the same command goes on");
}

TEST_F(ComparedSetsTest, ImagesThatCannotBeComparedAreAnError) {
  MeasuredRun run(*this / "run", request_);
  write_image_file(*this / "small.h5", [](ImageSink& sink) {
    sink.begin({.name = "small", .shape = {.height = 1, .width = 2, .channels = 1}, .count = 1});
    sink.add(std::vector<uint8_t>{1, 2}, 0);
  });
  options_.in = (*this / "small.h5").string();
  EXPECT_HAS(
      error_of([&] { compare_sets(*kernels_, run, features_, {SetMeasure::frechet_distance}, options_); }),
      "has images of 1x2x1, the run makes 32x32x3");
}

}  // namespace
}  // namespace ebm::test
