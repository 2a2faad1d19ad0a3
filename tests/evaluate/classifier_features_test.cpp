// SPDX-License-Identifier: MIT
// Features of a classifier: what its last layer is given, for the two kinds of images that there are classifiers of.
#include "evaluate/classifier_features.h"

#include "../io/io_fixture.h"
#include "evaluate/image_classifier.h"
#include "models/image_classifier.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/tolerance.h"
#include "train/state.h"

namespace ebm::test {
namespace {

constexpr Features photograph{.height = 32, .width = 32, .channels = 3};

class ClassifierFeaturesTest : public IoTest {
 protected:
  std::unique_ptr<Kernels> kernels_ = open_device("cpu");

  /// The file of a classifier that learnt nothing, but has random statistics and parameters.
  std::filesystem::path classifier(const char* name, const Features& images, double accuracy) {
    Network network(*kernels_, classifier_layers(images, 1));
    network.initialize(3, 0);
    reference::Random random{11};
    const View statistics = network.parameters().statistics_values();
    if (statistics.data != nullptr) {
      std::vector<float> values = reference::to_float(random.normals(statistics.size()));
      for (float& value : values) value = 0.2f + 0.3f * std::abs(value);
      kernels_->upload(statistics.data, values.data(), statistics.bytes());
    }
    Hdf5File file = Hdf5File::create(*this / name);
    write_arrays(file, *kernels_, "", network_arrays(network, classifier_arrays));
    file.write_attribute("/", "kind", images == digit_image ? "digit_classifier" : "image_classifier");
    file.write_attribute("/", "height", images.height);
    file.write_attribute("/", "width", images.width);
    file.write_attribute("/", "channels", images.channels);
    file.write_attribute("/", "seed", 1);
    file.write_attribute("/", "accuracy", accuracy);
    file.close();
    return *this / name;
  }
  static std::vector<uint8_t> bytes(int64_t count, const Features& shape) {
    reference::Random random{7};
    std::vector<uint8_t> all;
    for (const double x : random.normals(count * shape.size()))
      all.push_back(static_cast<uint8_t>(std::clamp(128 + 60 * x, 0.0, 255.0)));
    return all;
  }
};

TEST_F(ClassifierFeaturesTest, LogitsAreTheLastLayerOfThem) {
  for (const Features& shape : {digit_image, photograph}) {
    SCOPED_TRACE(to_string(shape));
    const auto path = classifier("classifier.h5", shape, 0.75);
    ClassifierFeatures features(*kernels_, path);
    const int64_t count = 103, dim = features.features();  // more than a chunk
    EXPECT_EQ(dim, shape == digit_image ? 50 : 128);
    ASSERT_EQ(features.classes(), 10);
    const std::vector<uint8_t> images = bytes(count, shape);
    std::vector<float> found(static_cast<size_t>(count * dim)), logits(static_cast<size_t>(count * 10));
    features.compute(images, count, shape, found.data(), logits.data());

    const Hdf5File file = Hdf5File::open_read(path);
    const std::string last = shape == digit_image ? "classifier/10" : "classifier/15";
    const std::vector<float> w = file.read_dataset<float>(last + ".weight").values,
                             b = file.read_dataset<float>(last + ".bias").values;
    std::vector<double> expected;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t c = 0; c < 10; ++c) {
        double sum = b[static_cast<size_t>(c)];
        for (int64_t k = 0; k < dim; ++k)
          sum += static_cast<double>(w[static_cast<size_t>(c * dim + k)]) *
                 found[static_cast<size_t>(i * dim + k)];
        expected.push_back(sum);
      }
    }
    EXPECT_TRUE(close(logits, expected));
    EXPECT_GE(*std::min_element(found.begin(), found.end()), 0) << "behind a ReLU";
    EXPECT_GT(*std::max_element(found.begin(), found.end()), 0);

    ImageClassifier whole = ImageClassifier::open(*kernels_, path);
    std::vector<float> in_unit_interval;
    for (const uint8_t byte : images) in_unit_interval.push_back(static_cast<float>(byte) / 255);
    std::vector<int64_t> largest;
    for (int64_t i = 0; i < count; ++i) {
      const auto row = logits.begin() + i * 10;
      largest.push_back(std::max_element(row, row + 10) - row);
    }
    EXPECT_EQ(whole.classes_of(in_unit_interval, ClassifierMode::evaluated), largest);
  }
}

TEST_F(ClassifierFeaturesTest, TheNameTellsOneClassifierFromAnother) {
  const auto name = [&](const std::filesystem::path& path) {
    return ClassifierFeatures(*kernels_, path).name();
  };
  const std::string first = name(classifier("one.h5", digit_image, 0.75));
  EXPECT_HAS(first, "classifier one.h5 (75.00 % right, ");
  EXPECT_EQ(name(*this / "one.h5"), first);
  Network other(*kernels_, classifier_layers(digit_image, 1));
  other.initialize(4, 0);
  Hdf5File file = Hdf5File::create(*this / "one.h5");
  write_arrays(file, *kernels_, "", network_arrays(other, classifier_arrays));
  file.write_attribute("/", "kind", "digit_classifier");
  file.write_attribute("/", "seed", 1);
  file.write_attribute("/", "accuracy", 0.75);
  file.close();
  EXPECT_NE(name(*this / "one.h5"), first);
}

TEST_F(ClassifierFeaturesTest, OtherImagesAreRefused) {
  ClassifierFeatures features(*kernels_, classifier("digits.h5", digit_image, 0.5));
  std::vector<float> found(100), logits(20);
  EXPECT_HAS(
      error_of([&] { features.compute(bytes(2, photograph), 2, photograph, found.data(), logits.data()); }),
      "is of images of 28x28x1, not of 2 images of 32x32x3");
  EXPECT_HAS(error_of([&] { require_classifier({.height = 64, .width = 64, .channels = 3}); }),
             "no classifiers of images of 64x64x3");
}

}  // namespace
}  // namespace ebm::test
