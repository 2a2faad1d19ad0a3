// SPDX-License-Identifier: MIT
// Features of sets of images, and the cache of what real ones give.
#include "evaluate/real_statistics.h"

#include <cmath>
#include <fstream>

#include "../io/io_fixture.h"
#include "data/image_file.h"
#include "support/devices.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

constexpr Features shape{.height = 3, .width = 2, .channels = 1};
constexpr int64_t count = 230;  // more than two chunks

/// Features of an image: its first byte and the sum of its bytes; counts the images.
class FakeFeatures final : public ImageFeatures {
 public:
  std::string called = "fake";
  int64_t seen = 0;
  std::string name() const override { return called; }
  int64_t features() const override { return 2; }
  int64_t classes() const override { return 1; }
  void compute(const PixelValues& images, int64_t n, const Features& of, float* features,
               float* logits) override {
    std::visit([&](auto pixels) { of_pixels(pixels, n, of, features, logits); }, images);
  }

 private:
  template <class Pixel>
  void of_pixels(std::span<const Pixel> images, int64_t n, const Features& of, float* features,
                 float* logits) {
    const int64_t size = of.size();
    ASSERT_EQ(std::ssize(images), n * size);
    for (int64_t i = 0; i < n; ++i, ++seen) {
      float sum = 0;
      for (int64_t k = 0; k < size; ++k) sum += images[static_cast<size_t>(i * size + k)];
      features[2 * i] = images[static_cast<size_t>(i * size)];
      features[2 * i + 1] = sum;
      logits[i] = -sum;
    }
  }
};

class RealStatisticsTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    data_.begin(
        {.name = "bytes", .split = DataSplit::test, .source = "made up", .shape = shape, .count = count});
    for (int64_t i = 0; i < count; ++i) {
      std::vector<uint8_t> image(static_cast<size_t>(shape.size()));
      for (size_t k = 0; k < image.size(); ++k)
        image[k] = static_cast<uint8_t>((37 * i + 11 * i * i * (k + 1) + 5) % 251);
      data_.add(image, i % 10);
    }
    write("images.h5", data_);
  }
  void write(const char* name, const Dataset& data) const {
    write_image_file(*this / name, [&](ImageSink& sink) {
      sink.begin(data.info);
      for (int64_t i = 0; i < data.info.count; ++i)
        sink.add(data.image(i), data.labels[static_cast<size_t>(i)]);
    });
  }
  RealStatistics statistics(int64_t images, RealContent content, const char* name = "images.h5") {
    fake_.seen = 0;
    return real_statistics(fake_, ImageFile(*this / name), images, content, *this / "cache", [](int64_t) {});
  }
  std::filesystem::path entry() const { return std::filesystem::directory_iterator(*this / "cache")->path(); }

  Dataset data_;
  FakeFeatures fake_;
};

TEST_F(RealStatisticsTest, AreThoseOfTheImages) {
  const int64_t some = 207;
  const RealStatistics found = statistics(some, RealContent::features);
  EXPECT_EQ(fake_.seen, some);
  ASSERT_EQ(std::ssize(found.set.features), 2 * some);
  double mean = 0, squares = 0;
  for (int64_t i = 0; i < some; ++i) {
    double sum = 0;
    for (const uint8_t byte : data_.image(i)) sum += byte;
    EXPECT_EQ(found.set.features[static_cast<size_t>(2 * i + 1)], sum);
    mean += sum / some;
  }
  for (int64_t i = 0; i < some; ++i)
    squares += std::pow(static_cast<double>(found.set.features[static_cast<size_t>(2 * i + 1)]) - mean, 2);
  EXPECT_NEAR(found.moments.mean[1], mean, 1e-9);
  EXPECT_NEAR(found.moments.covariance[3] / (squares / (some - 1)), 1, 1e-12);
}

TEST_F(RealStatisticsTest, WhatIsInTheCacheIsNotComputedAgain) {
  const RealStatistics first = statistics(count, RealContent::moments);
  EXPECT_EQ(fake_.seen, count);
  EXPECT_EQ(statistics(count, RealContent::moments).moments.covariance, first.moments.covariance);
  EXPECT_EQ(fake_.seen, 0);
  const std::vector<float> features = statistics(count, RealContent::features).set.features;
  EXPECT_EQ(fake_.seen, count) << "it had no features";
  EXPECT_EQ(statistics(count, RealContent::features).set.features, features);
  EXPECT_EQ(statistics(count, RealContent::moments).moments.mean, first.moments.mean);
  EXPECT_EQ(fake_.seen, 0);
}

TEST_F(RealStatisticsTest, OtherImagesOrFeaturesHaveTheirOwn) {
  statistics(count, RealContent::moments);
  statistics(count - 1, RealContent::moments);
  EXPECT_EQ(fake_.seen, count - 1);
  fake_.called = "other";
  statistics(count, RealContent::moments);
  EXPECT_EQ(fake_.seen, count);
  data_.images[5] ^= 1;
  write("images.h5", data_);
  statistics(count, RealContent::moments);
  EXPECT_EQ(fake_.seen, count);
}

TEST_F(RealStatisticsTest, ADamagedEntryIsMadeAnew) {
  const RealStatistics first = statistics(count, RealContent::features);
  const auto size = static_cast<int64_t>(std::filesystem::file_size(entry()));
  int64_t computed = 0;
  for (int64_t at = 40; at < size; at += 97) {
    std::fstream file(entry(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(at);
    file.put(byte);
    file.close();
    testing::internal::CaptureStderr();
    const RealStatistics found = statistics(count, RealContent::features);
    testing::internal::GetCapturedStderr();
    ASSERT_EQ(found.set.features, first.set.features) << at;
    ASSERT_EQ(found.moments.covariance, first.moments.covariance) << at;
    computed += fake_.seen > 0 ? 1 : 0;
  }
  EXPECT_GT(computed, 5);
  std::filesystem::resize_file(entry(), 1000);
  testing::internal::CaptureStderr();
  EXPECT_EQ(statistics(count, RealContent::features).set.features, first.set.features);
  EXPECT_HAS(testing::internal::GetCapturedStderr(), "; it is made anew");
}

TEST_F(RealStatisticsTest, ACacheThatCannotBeWrittenIsANote) {
  std::ofstream(*this / "cache") << "a file where a folder should be";
  testing::internal::CaptureStderr();
  statistics(count, RealContent::moments);
  EXPECT_EQ(fake_.seen, count);
  EXPECT_HAS(testing::internal::GetCapturedStderr(), "note: ");
}

TEST_F(RealStatisticsTest, ImagesThatAreNotThoseOfTheChecksumAreAnError) {
  const auto path = *this / "images.h5";
  const std::string checksum = ImageFile(path).checksum();
  Dataset other = data_;
  other.images[3] ^= 4;
  write("other.h5", other);
  Hdf5File forged = Hdf5File::create(*this / "forged.h5");
  const Hdf5File honest = Hdf5File::open_read(*this / "other.h5");
  for (const std::string& name : honest.list_attributes("/"))
    if (name != "checksum" && name != "left_out")
      forged.write_attribute("/", name, honest.read_attribute<std::string>("/", name));
  forged.write_attribute("/", "checksum", checksum);
  forged.write_dataset("images", std::span<const uint8_t>(other.images), {count, 3, 2, 1});
  forged.write_dataset("labels", std::span<const int64_t>(other.labels), {count});
  forged.close();
  EXPECT_HAS(error_of([&] { statistics(count, RealContent::moments, "forged.h5"); }), checksum);
}

/// Makes of z the image whose bytes are known.
class Ramp final : public Sampler {
 public:
  const Features& latent() const override { return latent_; }
  const Features& output() const override { return shape; }
  std::vector<float> samples(const std::vector<float>& latents) override {
    std::vector<float> images;
    for (size_t i = 0; i < latents.size() / 2; ++i)
      for (int k = 0; k < 6; ++k) images.push_back(k == 0 ? latents[2 * i] : 0.25f);
    return images;
  }

 private:
  Features latent_ = flat(2);
};

TEST_F(RealStatisticsTest, SamplesAreComparedAsBytes) {
  EXPECT_EQ(image_bytes({-1, -0.999f, -0.99f, 0, 0.25f, 1, 1.5f, -7}),
            (std::vector<uint8_t>{0, 0, 1, 128, 159, 255, 255, 0}));
  EXPECT_HAS(error_of([] { (void)image_bytes({0, std::nanf("")}); }), "not a number");
  const auto kernels = open_device("cpu");
  Ramp sampler;
  int64_t told = 0;
  const SetFeatures set = features_of_samples(*kernels, sampler, fake_, {.count = 130, .seed = 5},
                                              [&](int64_t done) { told = done; });
  EXPECT_EQ(told, 130);
  ASSERT_EQ(set.rows().count(), 130);
  EXPECT_EQ(first_rows(set.rows(), 7).count(), 7);
  double spread = 0;
  for (int64_t i = 0; i < 130; ++i) {
    const float first = set.rows().row(i)[0];
    EXPECT_EQ(set.rows().row(i)[1], first + 5 * 159);
    EXPECT_EQ(set.class_scores().row(i)[0], -(first + 5 * 159));
    spread += std::abs(first - 128);
  }
  EXPECT_NEAR(spread / 130 / 127.5, 0.64, 0.1) << "of N(0, 1), clipped at 1";

  const SetFeatures exact = features_of_samples(
      *kernels, sampler, fake_, {.count = 130, .seed = 5, .values = SampleValues::floats}, [](int64_t) {});
  for (int64_t i = 0; i < 130; ++i) {
    const float first = exact.rows().row(i)[0];
    EXPECT_NEAR(exact.rows().row(i)[1], first + 5 * 159.375f, 1e-3);
    EXPECT_LE(std::abs(std::clamp(first, 0.0f, 255.0f) - set.rows().row(i)[0]), 0.5f);
  }
  EXPECT_HAS(error_of([] { (void)image_numbers({0, std::nanf("")}); }), "not a number");
}

}  // namespace
}  // namespace ebm::test
