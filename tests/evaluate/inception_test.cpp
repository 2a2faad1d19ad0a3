// SPDX-License-Identifier: MIT
// Inception against torch-fidelity's network in float64 (tests/golden/make_inception_goldens.py), and what a file of
// weights must be.
#include "evaluate/inception_features.h"

#include "evaluate/inception_case.h"
#include "io/hdf5_file.h"
#include "io/io_fixture.h"
#include "support/devices.h"
#include "support/files.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

constexpr int64_t narrower = 16, side = 139;
constexpr Features picture{.height = 20, .width = 23, .channels = 3};
const InceptionShape narrow{.side = side, .narrower = narrower};

const Tolerance some_layers{.factor = 20,
                            .reason = "about a hundred layers, each with the rounding of its sums"};

class Golden {
 public:
  Golden() : file_(Hdf5File::open_read(golden_folder() / "inception/inception.h5")) {}
  std::vector<float> numbers(const std::string& path) const { return file_.read_dataset<float>(path).values; }
  std::vector<uint8_t> images(const std::string& group) const {
    return file_.read_dataset<uint8_t>(group + "/images").values;
  }

 private:
  Hdf5File file_;
};

TorchFile torch_file(const NamedArrays& arrays) {
  return {"weights.pth", TorchWriter().file(arrays)};
}

struct Answers {
  std::vector<float> features, logits;
};
template <class Pixel>
Answers answers(ImageFeatures& inception, const std::vector<Pixel>& images, int64_t n,
                const Features& shape) {
  Answers found{std::vector<float>(static_cast<size_t>(n * inception.features())),
                std::vector<float>(static_cast<size_t>(n * inception.classes()))};
  inception.compute(images, n, shape, found.features.data(), found.logits.data());
  return found;
}

class InceptionTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  const Golden golden_;
};

TEST_P(InceptionTest, FeaturesAndLogitsAreTorchFidelitys) {
  const TorchFile weights = torch_file(inception_arrays(narrow));
  std::vector<std::pair<int64_t, int64_t>> told;
  const auto progress = [&](int64_t done, int64_t all) { told.emplace_back(done, all); };
  InceptionFeatures inception(*kernels_, weights, {.batch = 2, .progress = progress, .shape = narrow});
  EXPECT_EQ(inception.features(), 2048 / narrower);
  EXPECT_EQ(inception.classes(), inception_classes);
  const std::vector<uint8_t> images = golden_.images("narrow");
  const Answers found = answers(inception, images, 3, picture);
  EXPECT_EQ(told, (std::vector<std::pair<int64_t, int64_t>>{{2, 3}, {3, 3}}));
  EXPECT_TRUE(close(found.features, golden_.numbers("narrow/features"), some_layers));
  EXPECT_TRUE(close(found.logits, golden_.numbers("narrow/logits_unbiased"), some_layers));
  const std::vector<float> numbers(images.begin(), images.end());
  EXPECT_TRUE(close(answers(inception, numbers, 3, picture).features, golden_.numbers("narrow/features"),
                    some_layers));

  const int64_t allocations = kernels_->allocations();
  const std::vector<uint8_t> last(images.end() - picture.size(), images.end());
  const Answers again = answers(inception, last, 1, picture);
  EXPECT_EQ(again.features,
            std::vector<float>(found.features.end() - inception.features(), found.features.end()));
  EXPECT_EQ(kernels_->allocations(), allocations) << "a second call allocates";
}

/// One layer or block after another, so that a wrong one is named.
TEST_P(InceptionTest, EachBlockIsTorchFidelitys) {
  const NamedArrays arrays = inception_arrays(narrow);
  const TorchFile weights = torch_file(arrays);
  Network logits(*kernels_, inception_logits(narrow));
  const Tensor x(*kernels_, 1, {.height = side, .width = side, .channels = 3});
  ImageResize(*kernels_, Resize::tf, picture, side, 1).run(golden_.images("narrow").data(), x);
  for (const char* block :
       {"Conv2d_4a_3x3", "Mixed_5b", "Mixed_6a", "Mixed_6b", "Mixed_7a", "Mixed_7b", "Mixed_7c"}) {
    SCOPED_TRACE(block);
    InceptionShape shape = narrow;
    shape.last = block;
    Network network(*kernels_, inception_features(shape));
    NamedArrays used = arrays;
    Parameters declared;
    inception_features(shape)->declare(declared, "");
    std::erase_if(used, [&](const auto& array) {
      const std::string& name = array.first;
      const std::string own = name.substr(0, std::min(name.find(".conv."), name.find(".bn.")));
      return !name.starts_with("fc.") &&
             std::none_of(declared.trainable().begin(), declared.trainable().end(),
                          [&](const Parameter& p) { return p.name == own + ".weight"; });
    });
    read_inception_weights(torch_file(used), *kernels_, network, logits);
    const auto trace = network.make_trace(
        {.batch = 1, .statistics = Statistics::running, .precision = Precision::full, .kept = Kept::nothing});
    const Tensor y(*kernels_, 1, network.output());
    network.forward(*trace, x, y);
    const std::vector<float> values = y.download();
    const auto channels = static_cast<size_t>(network.output().channels), pixels = values.size() / channels;
    std::vector<double> of_channels(channels), of_pixels(pixels);
    for (size_t i = 0; i < values.size(); ++i) {
      of_channels[i % channels] += values[i] / static_cast<double>(pixels);
      of_pixels[i / channels] += values[i] / static_cast<double>(channels);
    }
    const auto golden = [&](const char* what) {
      return golden_.numbers(std::string("narrow/stages/") + block + what);
    };
    const std::vector<float> found_channels(of_channels.begin(), of_channels.end()),
        found_pixels(of_pixels.begin(), of_pixels.end());
    EXPECT_TRUE(close(found_channels, golden("/of_channels"), some_layers));
    EXPECT_TRUE(close(found_pixels, golden("/of_pixels"), some_layers));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, InceptionTest, testing::ValuesIn(devices_with_convolutions()),
                         [](const auto& info) { return info.param; });

TEST(WholeInceptionTest, IsTorchFidelitys) {
  const auto kernels = open_kernels("cpu");
  const Golden golden;
  InceptionFeatures inception(*kernels, torch_file(inception_arrays({})), {.batch = 2});
  const Answers found =
      answers(inception, golden.images("full"), 2, {.height = 32, .width = 32, .channels = 3});
  EXPECT_TRUE(close(found.features, golden.numbers("full/features"), some_layers));
  EXPECT_TRUE(close(found.logits, golden.numbers("full/logits_unbiased"), some_layers));
}

class InceptionWeightsTest : public testing::Test {
 protected:
  std::string error() {
    return error_of([&] { InceptionFeatures(*kernels_, torch_file(arrays_), {.shape = narrow}); });
  }
  void expect_refusal(const std::string& why) {
    const std::string text = error();
    EXPECT_HAS(text, "'weights.pth' has not the weights of Inception that are asked for: " + why +
                         "; data/fetch.sh inception gets the right ones");
  }

  std::unique_ptr<Kernels> kernels_ = open_kernels("cpu");
  NamedArrays arrays_ = inception_arrays(narrow);
};

TEST_F(InceptionWeightsTest, OthersAreNamed) {
  EXPECT_EQ(error(), "(no Error)");
  const NamedArrays right = arrays_;
  arrays_.erase("Mixed_6c.branch7x7_2.bn.running_mean");
  expect_refusal("it has no 'Mixed_6c.branch7x7_2.bn.running_mean'");
  arrays_ = right;
  arrays_["AuxLogits.fc.bias"] = filled("AuxLogits.fc.bias", {3});
  expect_refusal("it has 'AuxLogits.fc.bias' besides");
  arrays_ = right;
  arrays_["fc.weight"] = filled("fc.weight", {1000, 128});
  expect_refusal("'fc.weight' is 1000 x 128 and not 1008 x 128");
  arrays_ = right;
  arrays_["Mixed_7c.branch1x1.bn.running_var"].values[1] = -1e-6f;
  expect_refusal("'Mixed_7c.branch1x1.bn.running_var' has a negative number");
  for (const char* name : {"Mixed_5b.branch5x5_2.conv.weight", "Mixed_7c.branch_pool.bn.bias", "fc.bias"}) {
    for (const float bad : {NAN, INFINITY}) {
      arrays_ = right;
      arrays_[name].values.back() = bad;
      expect_refusal("'" + std::string(name) + "' has numbers that are not finite");
    }
  }
}

TEST_F(InceptionWeightsTest, TheAuthorsLogitsHaveTheBias) {
  InceptionFeatures inception(*kernels_, torch_file(arrays_),
                              {.resize = Resize::legacy_torch, .batch = 1, .shape = narrow});
  InceptionFeatures without(*kernels_, torch_file(arrays_),
                            {.resize = Resize::tf, .batch = 1, .shape = narrow});
  const Features square{.height = side, .width = side, .channels = 1};  // no way of resizing changes it
  std::vector<uint8_t> image(static_cast<size_t>(square.size()));
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(i * i / 97);
  const Answers with = answers(inception, image, 1, square);
  const std::vector<float> bias = filled("fc.bias", {inception_classes}).values,
                           weight = filled("fc.weight", {inception_classes, 2048 / narrower}).values;
  const auto product = [&](const Answers& found, size_t c) {
    double sum = 0;
    for (size_t i = 0; i < found.features.size(); ++i)
      sum += double{weight[c * found.features.size() + i]} * found.features[i];
    return sum;
  };
  const Answers plain = answers(without, image, 1, square);
  for (const size_t c : {size_t{0}, size_t{500}, size_t{1007}}) {
    EXPECT_NEAR(with.logits[c] - product(with, c), bias[c], 1e-4);
    EXPECT_NEAR(plain.logits[c] - product(plain, c), 0, 1e-4);
  }
}

TEST_F(InceptionWeightsTest, CountsOfBatchesDoNotMatter) {
  arrays_["Mixed_5b.branch1x1.bn.num_batches_tracked"] = {{}, {7}};
  EXPECT_EQ(error(), "(no Error)");
}

TEST_F(InceptionWeightsTest, AFileThatIsNotThereSaysHowToGetIt) {
  EXPECT_HAS(error_of([&] { open_inception(*kernels_, "no/weights.pth", {}); }),
             "there are no weights of Inception at 'no/weights.pth'; data/fetch.sh inception gets them");
}

TEST_F(InceptionWeightsTest, WrongImagesAndAnswersAreNamed) {
  InceptionFeatures inception(*kernels_, torch_file(arrays_), {.shape = narrow});
  const std::vector<uint8_t> bytes(1000);
  std::vector<float> out(5000);
  const auto compute = [&](ImageFeatures& of, int64_t n, const Features& shape) {
    return error_of([&] { of.compute(bytes, n, shape, out.data(), out.data() + 2000); });
  };
  EXPECT_HAS(compute(inception, 2, {.height = 20, .width = 20, .channels = 2}),
             "1000 numbers are no 2 images of 20x20x2");
  EXPECT_HAS(compute(inception, 1, {.height = 20, .width = 20, .channels = 2}), "20x20x2 cannot be resized");
  EXPECT_EQ(compute(inception, 1, {.height = 10, .width = 10, .channels = 3}), "(no Error)");
  arrays_["Mixed_7c.branch1x1.bn.bias"].values.front() = 3e38f;  // finite, but not what follows
  InceptionFeatures endless(*kernels_, torch_file(arrays_), {.shape = narrow});
  EXPECT_HAS(compute(endless, 1, {.height = 10, .width = 10, .channels = 3}), "is no finite number");
}

TEST_F(InceptionWeightsTest, TheNameTellsTheProtocol) {
  const TorchFile weights = torch_file(arrays_);
  InceptionFeatures inception(*kernels_, weights, {.shape = narrow});
  EXPECT_EQ(inception.name(), "inception (tf resize, logits without bias), weights SHA-256 " +
                                  weights.sha256() + ", which are not the published ones");
  InceptionFeatures clean(*kernels_, weights, {.resize = resize_named("clean"), .shape = narrow});
  EXPECT_TRUE(clean.name().starts_with("inception (clean resize, logits with bias), ")) << clean.name();
}

TEST(InceptionShapeTest, ImpossibleOnesAreRefused) {
  EXPECT_HAS(error_of([] { inception_features({.narrower = 3}); }), "cannot be divided by 3");
  EXPECT_HAS(error_of([] { inception_features({.side = 60}); }), "fit");
}

}  // namespace
}  // namespace ebm::test
