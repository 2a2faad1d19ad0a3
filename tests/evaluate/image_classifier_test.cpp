// SPDX-License-Identifier: MIT
// The classifier learns what can be learnt, its file gives back the same answers, and modes are counted of whole
// images.
#include "evaluate/image_classifier.h"

#include <random>

#include "../io/io_fixture.h"
#include "data/image_file.h"
#include "evaluate/model_measures.h"
#include "models/image_classifier.h"
#include "support/devices.h"

namespace ebm::test {
namespace {

constexpr int64_t side = 28;

/// Images whose "digit" is the place of a bright square on a noisy ground.
Dataset squares(int64_t count, uint32_t seed) {
  Dataset data;
  data.begin({.name = "squares",
              .split = DataSplit::train,
              .source = "made up",
              .shape = {.height = side, .width = side, .channels = 1},
              .count = count});
  std::mt19937 random(seed);
  for (int64_t i = 0; i < count; ++i) {
    std::vector<uint8_t> image(static_cast<size_t>(side * side));
    for (uint8_t& pixel : image) pixel = static_cast<uint8_t>(random() % 60);
    const auto digit = static_cast<int64_t>(random() % 10);
    for (int64_t h = 0; h < 7; ++h)
      for (int64_t w = 0; w < 5; ++w)
        image[static_cast<size_t>((digit / 5 * 14 + 4 + h) * side + digit % 5 * 5 + 2 + w)] = 250;
    data.add(image, digit);
  }
  return data;
}

class ImageClassifierTest : public IoTest, public testing::WithParamInterface<std::string> {
 protected:
  ImageFile file(const char* name, const Dataset& data) {
    write_image_file(*this / name, [&](ImageSink& sink) {
      sink.begin(data.info);
      for (int64_t i = 0; i < data.info.count; ++i)
        sink.add(data.image(i), data.labels[static_cast<size_t>(i)]);
    });
    return ImageFile(*this / name);
  }
  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  static void ignore(int64_t, int64_t) {}
};

std::vector<float> in_unit_interval(const Dataset& data) {
  std::vector<float> images;
  for (const uint8_t byte : data.images) images.push_back(static_cast<float>(byte) / 255);
  return images;
}

TEST_P(ImageClassifierTest, LearnsAndIsKept) {
  const Dataset test = squares(60, 2);
  const ImageFile train_file = file("train.h5", squares(640, 1)), test_file = file("test.h5", test);
  const ClassifierOptions options{.epochs = 3, .batch = 32, .seed = 3, .lr = 3e-3};
  ImageClassifier classifier(*kernels_, digit_image, options);
  int64_t told = 0;
  classifier.train(train_file, test_file, options, [&](int64_t done, int64_t steps) {
    EXPECT_EQ(done, ++told);
    EXPECT_EQ(steps, 60);
  });
  EXPECT_GT(classifier.accuracy(), 0.9);
  classifier.save(*this / "classifier.h5", options, train_file.checksum());

  ImageClassifier again = ImageClassifier::open(*kernels_, *this / "classifier.h5");
  EXPECT_EQ(again.accuracy(), classifier.accuracy());
  const std::vector<float> images = in_unit_interval(test);
  const std::vector<int64_t> found = again.classes_of(images, ClassifierMode::evaluated);
  EXPECT_EQ(found, classifier.classes_of(images, ClassifierMode::evaluated));
  int64_t right = 0;
  for (size_t i = 0; i < found.size(); ++i) right += found[i] == test.labels[i] ? 1 : 0;
  EXPECT_EQ(static_cast<double>(right) / 60, classifier.accuracy());
  EXPECT_NE(again.classes_of(images, ClassifierMode::live_dropout), found);
}

TEST_P(ImageClassifierTest, RefusesWhatIsNoDigit) {
  const ClassifierOptions options{.epochs = 1, .batch = 8};
  ImageClassifier classifier(*kernels_, digit_image, options);
  Dataset wrong = squares(8, 1);
  const ImageFile good = file("good.h5", wrong);
  wrong.labels[3] = 10;
  const ImageFile label = file("label.h5", wrong);
  EXPECT_HAS(error_of([&] { classifier.train(label, good, options, ignore); }), "label.h5 has the label 10");
  const ClassifierOptions large{.epochs = 1, .batch = 9};
  EXPECT_HAS(error_of([&] { classifier.train(good, good, large, ignore); }), "fewer images than a batch");
  EXPECT_HAS(error_of([&] { ImageClassifier::open(*kernels_, *this / "none.h5"); }),
             "there is no classifier");
  EXPECT_HAS(error_of([&] { ImageClassifier::open(*kernels_, *this / "good.h5"); }), "holds no classifier");
}

/// "Samples" whose channels are given images.
class Fixed final : public Sampler {
 public:
  explicit Fixed(std::vector<float> images) : images_(std::move(images)) {}
  const Features& latent() const override { return latent_; }
  const Features& output() const override { return output_; }
  std::vector<float> samples(const std::vector<float>& latents) override {
    const auto rows = static_cast<size_t>(std::ssize(latents) / latent_.size());
    const auto size = static_cast<size_t>(output_.size());
    const std::vector<float> some(images_.begin() + static_cast<int64_t>(given_ * size),
                                  images_.begin() + static_cast<int64_t>((given_ + rows) * size));
    given_ += rows;
    return some;
  }

 private:
  Features latent_ = flat(2), output_{.height = side, .width = side, .channels = 3};
  std::vector<float> images_;
  size_t given_ = 0;
};

TEST_P(ImageClassifierTest, SampledDigitsAreThoseOfTheChannels) {
  const ImageFile train_file = file("train.h5", squares(640, 1)), test_file = file("test.h5", squares(60, 2));
  const ClassifierOptions options{.epochs = 3, .batch = 32, .seed = 3, .lr = 3e-3};
  ImageClassifier classifier(*kernels_, digit_image, options);
  classifier.train(train_file, test_file, options, ignore);

  const Dataset planes = squares(90, 5);  // 30 images of three channels
  const std::vector<int64_t> digits =
      classifier.classes_of(in_unit_interval(planes), ClassifierMode::evaluated);
  std::vector<float> images;
  for (size_t i = 0; i < 30; ++i)
    for (size_t pixel = 0; pixel < side * side; ++pixel)
      for (size_t c = 0; c < 3; ++c)
        images.push_back(2 * static_cast<float>(planes.images[(3 * i + c) * side * side + pixel]) / 255 - 1);
  Fixed sampler(std::move(images));
  int64_t told = 0;
  const std::vector<int64_t> found = sampled_digits(*kernels_, sampler, classifier, {.count = 30, .seed = 1},
                                                    [&](int64_t done) { told = done; });
  EXPECT_EQ(found, digits);
  EXPECT_EQ(told, 30);
}

TEST(DigitsOfLabelsTest, TheHighestComesFirst) {
  EXPECT_EQ(digits_of_labels({0, 7, 123, 990}, 3),
            (std::vector<int64_t>{0, 0, 0, 0, 0, 7, 1, 2, 3, 9, 9, 0}));
  EXPECT_EQ(digits_of_labels({4, 9}, 1), (std::vector<int64_t>{4, 9}));
  EXPECT_HAS(error_of([] {
               (void)digits_of_labels({5, 1000}, 3);
             }),
             "the label 1000 is no number of 3 digits");
  EXPECT_HAS(error_of([] { (void)digits_of_labels({-1}, 3); }), "the label -1");
}

INSTANTIATE_TEST_SUITE_P(Devices, ImageClassifierTest, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
