// SPDX-License-Identifier: MIT
// tests/golden/images/*.h5: three iterations of MEG, VERA, DCGAN and SNGAN with narrow convolutional networks by
// PyTorch's autograd in float64, played here one after the other with the same draws from the same start.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "core/channels_last.h"
#include "io/hdf5_file.h"
#include "layers/joined_inputs.h"
#include "methods/registry.h"
#include "models/dcgan.h"
#include "models/stack.h"
#include "models/statistics.h"
#include "support/devices.h"
#include "support/files.h"
#include "support/recorded.h"
#include "support/tolerance.h"
#include "train/seen.h"
#include "train/state.h"

namespace ebm::test {
namespace {

constexpr ChannelsLast image_order{.channels = 3, .pixels = 32 * 32};
constexpr int64_t head_units = 7;  // of MEG's T, as make_image_goldens.py has it

/// The images that it was given last.
class GivenImages final : public DataSource {
 public:
  GivenImages(Kernels& kernels, int64_t rows, const Features& features)
      : kernels_(kernels), x_(kernels, rows, features) {}
  void give(const std::vector<float>& pytorch) { x_.upload(to_memory_order(pytorch, image_order)); }
  const Features& features() const override { return x_.features(); }
  void draw(const uint64_t*, View x) override {
    kernels_.copy(x.data, x_.data(), x.size() * static_cast<int64_t>(sizeof(float)));
  }

 private:
  Kernels& kernels_;
  Tensor x_;
};

class ImageGolden {
 public:
  explicit ImageGolden(const std::string& name)
      : file_(Hdf5File::open_read(golden_folder() / "images" / (name + ".h5"))) {
    choice_ = method_row(name).choose(NetworkKind::dcgan, Preset::paper);
    Options options("golden", "");
    declare_training(options, choice_->training());
    choice_->declare(options);
    declare_optimiser(options, choice_->training());
    const std::vector<std::string> written = file_.list_attributes("/");
    for (const OptionValue& option : options.run_values()) {
      if (std::find(written.begin(), written.end(), option.name) == written.end()) continue;
      std::visit(
          [&](auto value) {
            using Value = decltype(value);
            if constexpr (!std::is_same_v<Value, bool>)  // a file has none of these
              options.set_default(option.name.c_str(), file_.read_attribute<Value>("/", option.name.c_str()));
          },
          option.value);
    }
  }

  int64_t rows() const { return choice_->training().batch * choice_->training().energy_steps; }
  std::vector<double> result(const std::string& path) const {
    return file_.read_dataset<double>(path).values;
  }
  std::vector<float> values(const std::string& path) const { return file_.read_dataset<float>(path).values; }
  std::vector<std::string> list(const std::string& group) const { return file_.list(group); }

  std::unique_ptr<Method> method(Kernels& kernels, DataSource& data, NoiseSource& noise) const {
    NetworkOptions networks = dcgan_networks();
    networks.latent = integer("latent");
    networks.width = integer("width");
    choice_->adapt(networks);
    NetworkMakers makers = makers_of(networks);
    makers.statistics = [=] {
      Stack trunk = dcgan_energy_trunk(networks.width), head(flat(2 * networks.latent));
      trunk.reshape().linear(networks.latent);
      head.linear(head_units).leaky(0.1f).linear(1);
      return std::make_unique<JoinedInputs>(Sequential::Child{"trunk", trunk.build()},
                                            Sequential::Child{"head", head.build()});
    };
    return choice_->make(kernels, makers, data, &noise);
  }

  /// Gives a method its parameters, running statistics and u; Adam's moments are 0 from the start.
  void start(Method& method) const {
    method.initialize();
    for (const Learner* learner : method.learners()) {
      for (const NamedArray& array : state_arrays(*learner)) {
        if (array.name.starts_with("adam/")) continue;
        const auto given = file_.read_dataset<float>("iteration-1/before/" + array.name);
        ASSERT_EQ(given.dims, array.shape) << array.name;
        upload(method.kernels(), array.view, to_memory_order(given.values, array.order));
      }
    }
  }

  void draws_of(int64_t iteration, GivenImages& data, RecordedNoise& noise) const {
    const std::string inputs = "iteration-" + std::to_string(iteration) + "/inputs";
    for (const std::string& name : file_.list(inputs)) {
      const auto given = file_.read_dataset<float>(inputs + "/" + name);
      if (name == "x") {
        data.give(given.values);
        continue;
      }
      const int64_t rows = given.dims.at(0);
      const std::vector<float> memory =
          name == "noise" ? to_memory_order(given.values, image_order) : given.values;
      noise.record(name, {rows, std::ssize(memory) / rows, memory});
    }
  }

 private:
  static void upload(Kernels& kernels, View to, const std::vector<float>& values) {
    ebm::test::upload(kernels, to, std::vector<double>(values.begin(), values.end()));
  }
  int64_t integer(const char* name) const { return file_.read_attribute<int64_t>("/", name); }

  Hdf5File file_;
  std::unique_ptr<MethodChoice> choice_;
};

class ImageGoldenTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  static void expect_results(const ImageGolden& golden, const std::string& group, Method& method,
                             const Seen& seen) {
    for (const std::string& name : golden.list(group)) {
      const auto found = seen.results.find(name);
      const std::vector<float> actual =
          found != seen.results.end() ? found->second : std::vector<float>{number(method, name)};
      const double terms = name.starts_with("loss_") ? 1 : 0;
      EXPECT_TRUE(close(actual, golden.result(group + "/" + name),
                        {.factor = 50, .reason = "roundings of ten layers and three steps", .terms = terms}))
          << name;
    }
  }

  /// Each parameter's gradient. Those that cancel (of a bias before a batch norm) count beside a hundredth of the
  /// largest of all.
  static void expect_gradients(const ImageGolden& golden, const std::string& group, Method& method,
                               const Learner& learner) {
    const std::vector<float> all = golden.values(group + "/" + learner.name());
    const double largest = std::abs(*std::max_element(
        all.begin(), all.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    auto next = all.begin();
    for (const NamedArray& array : gradient_arrays(learner)) {
      const auto size = array.view.size();
      ASSERT_LE(size, all.end() - next) << array.name;
      const std::vector<float> expected(next, next + size);
      next += size;
      EXPECT_TRUE(close(to_pytorch_order(download(method.kernels(), array.view), array.order), expected,
                        {.factor = 200, .reason = "a gradient's terms cancel", .terms = largest / 100}))
          << array.name;
    }
    EXPECT_EQ(next, all.end()) << learner.name();
  }

  static void expect_after(const ImageGolden& golden, Method& method, const Learner& learner) {
    for (const NamedArray& array : state_arrays(learner)) {
      if (array.name.starts_with("adam/")) continue;
      EXPECT_TRUE(
          close(to_pytorch_order(download(method.kernels(), array.view), array.order),
                golden.values("iteration-3/after/" + array.name),
                {.factor = 20, .reason = "steps of size lr, made of gradients that are off by roundings"}))
          << array.name;
    }
  }
};

TEST_P(ImageGoldenTest, ThreeIterations) {
  const auto& [name, device] = GetParam();
  const ImageGolden golden(name);
  const auto kernels = open_device(device);
  RecordedNoise noise(*kernels);
  GivenImages data(*kernels, golden.rows(), {.height = 32, .width = 32, .channels = 3});
  const auto method = golden.method(*kernels, data, noise);
  golden.start(*method);
  for (int64_t iteration = 1; iteration <= 3; ++iteration) {
    SCOPED_TRACE("iteration " + std::to_string(iteration));
    const std::string group = "iteration-" + std::to_string(iteration);
    golden.draws_of(iteration, data, noise);
    Seen seen(*kernels);
    method->iterate(seen);
    expect_results(golden, group + "/results", *method, seen);
    for (const Learner* learner : method->learners())
      expect_gradients(golden, group + "/gradients", *method, *learner);
    EXPECT_FALSE(method->numbers().download().not_finite);
  }
  for (const Learner* learner : method->learners()) expect_after(golden, *method, *learner);
}

std::vector<std::string> image_goldens() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder() / "images", none))
    if (entry.path().extension() == ".h5") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, ImageGoldenTest,
                         testing::Combine(testing::ValuesIn(image_goldens()),
                                          testing::ValuesIn(devices_with_convolutions())),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param);
                         });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ImageGoldenTest);

}  // namespace
}  // namespace ebm::test
