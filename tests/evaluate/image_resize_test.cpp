// SPDX-License-Identifier: MIT
// Images of another size against torch-fidelity, PyTorch and Pillow (tests/golden/make_inception_goldens.py).
#include "evaluate/image_resize.h"

#include "io/hdf5_file.h"
#include "io/io_fixture.h"
#include "support/devices.h"
#include "support/files.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

class ImageResizeTest : public testing::TestWithParam<std::string> {
 protected:
  /// What `how` makes of the images of a group, at once or one by one.
  std::vector<float> resized(const std::string& group, Resize how, int64_t side, int64_t batch) {
    const auto images = golden_.read_dataset<uint8_t>("resize/" + group + "/images");
    const Features shape{
        .height = images.dims.at(1), .width = images.dims.at(2), .channels = images.dims.at(3)};
    const ImageResize resize(*kernels_, how, shape, side, batch);
    std::vector<float> all;
    for (int64_t first = 0; first < images.dims.at(0); first += batch) {
      const Tensor y(*kernels_, std::min(batch, images.dims.at(0) - first), {side, side, 3});
      resize.run(images.values.data() + first * shape.size(), y);
      const std::vector<float> part = y.download();
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  Hdf5File golden_ = Hdf5File::open_read(golden_folder() / "inception/inception.h5");
};

TEST_P(ImageResizeTest, IsThatOfTheOthers) {
  for (const char* group : {"larger", "smaller", "grey", "mixed", "same", "pixel"}) {
    const int64_t side = golden_.read_dataset<int64_t>(std::string("resize/") + group + "/size").values.at(0);
    for (const Resize how : {Resize::tf, Resize::legacy_torch, Resize::clean}) {
      SCOPED_TRACE(std::string(group) + " " + to_string(how));
      const std::vector<float> expected =
          golden_.read_dataset<float>("resize/" + std::string(group) + "/" + to_string(how)).values;
      EXPECT_TRUE(close(resized(group, how, side, 1), expected));
      EXPECT_TRUE(close(resized(group, how, side, 3), expected));
    }
  }
}

TEST_P(ImageResizeTest, IsThatOfTheOthersAt299) {
  for (const Resize how : {Resize::tf, Resize::legacy_torch, Resize::clean}) {
    SCOPED_TRACE(to_string(how));
    const std::vector<float> all = resized("sampled", how, 299, 1);
    std::vector<float> some;
    for (size_t i = 0; i < 299; i += 23) {
      for (size_t j = 0; j < 299; j += 19) {
        for (size_t c = 0; c < 3; ++c) some.push_back(all[(i * 299 + j) * 3 + c]);
      }
    }
    EXPECT_TRUE(close(some, golden_.read_dataset<float>("resize/sampled/" + to_string(how)).values));
  }
}

/// Weights of each pixel add up to one, so a mixture of images becomes that mixture of what they become.
TEST_P(ImageResizeTest, NumbersBetweenBytesAreNotRounded) {
  for (const char* group : {"larger", "smaller", "grey"}) {
    const auto images = golden_.read_dataset<uint8_t>(std::string("resize/") + group + "/images");
    const int64_t side = golden_.read_dataset<int64_t>(std::string("resize/") + group + "/size").values.at(0);
    const Features shape{
        .height = images.dims.at(1), .width = images.dims.at(2), .channels = images.dims.at(3)};
    const auto size = static_cast<size_t>(shape.size());
    std::vector<float> mixed;
    for (size_t i = 0; i < size; ++i)
      mixed.push_back(0.3f * static_cast<float>(images.values[i]) +
                      0.7f * static_cast<float>(images.values[size + i]));
    for (const Resize how : {Resize::tf, Resize::legacy_torch}) {
      const std::vector<float> of =
          golden_.read_dataset<float>("resize/" + std::string(group) + "/" + to_string(how)).values;
      const size_t resized = static_cast<size_t>(side * side * 3);
      std::vector<double> expected;
      for (size_t i = 0; i < resized; ++i) expected.push_back(0.3 * of[i] + 0.7 * of[resized + i]);
      const ImageResize resize(*kernels_, how, shape, side, 2);
      const Tensor y(*kernels_, 1, {side, side, 3});
      resize.run(mixed.data(), y);
      EXPECT_TRUE(close(y.download(), expected)) << group << " " << to_string(how);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ImageResizeTest, testing::ValuesIn(devices()),
                         [](const auto& info) { return info.param; });

TEST(TapTableTest, WeightsAddUpToOneWithinTheImage) {
  for (const Resize how : {Resize::tf, Resize::legacy_torch, Resize::clean}) {
    for (const int64_t old_size : {1, 2, 3, 28, 299, 1000}) {
      const TapTable table = tap_table(how, old_size, 299);
      ASSERT_EQ(std::ssize(table.first), 299);
      for (size_t j = 0; j < 299; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < table.taps; ++k)
          sum += table.weights[j * static_cast<size_t>(table.taps) + static_cast<size_t>(k)];
        EXPECT_NEAR(sum, 1, 1e-6) << to_string(how) << " from " << old_size;
        EXPECT_GE(table.first[j], 0);
        EXPECT_LE(table.first[j] + table.taps, old_size);
      }
    }
  }
}

TEST(ResizeNameTest, UnknownOnesAreRefused) {
  EXPECT_EQ(resize_named("legacy_torch"), Resize::legacy_torch);
  EXPECT_HAS(error_of([] { resize_named("bilinear"); }),
             "there is no resize 'bilinear'; give tf, legacy_torch or clean");
}

}  // namespace
}  // namespace ebm::test
