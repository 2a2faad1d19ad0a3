// SPDX-License-Identifier: MIT
// tests/golden/{dcgan,sngan,meg,vera,options}_*.h5: three iterations of each by PyTorch's autograd in float64, played
// here with the same draws from the same state. The files' attributes are options, so one test plays all.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "io/hdf5_file.h"
#include "layers/joined_inputs.h"
#include "methods/registry.h"
#include "support/devices.h"
#include "support/files.h"
#include "support/recorded.h"
#include "support/tolerance.h"
#include "train/seen.h"
#include "train/state.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;
using reference::LayerSpec;

std::vector<std::string> method_goldens() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(golden_folder(), none)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".h5" && !name.starts_with("toy_")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::unique_ptr<Layer> named(const char* name, std::unique_ptr<Layer> layers) {
  std::vector<Sequential::Child> children;
  children.push_back({name, std::move(layers)});
  return std::make_unique<Sequential>(std::move(children));
}

/// One iteration of a file.
class MethodGolden {
 public:
  MethodGolden(const std::string& name, int64_t iteration)
      : file_(Hdf5File::open_read(golden_folder() / (name + ".h5"))),
        group_("iteration-" + std::to_string(iteration) + "/") {}

  std::unique_ptr<MethodChoice> choice() const;
  NetworkMakers networks() const;
  void record(RecordedNoise& noise) const;
  reference::Matrix<double> x() const { return input("x"); }
  void restore(Method& method, int64_t iteration) const;

  bool has(const std::string& path) const { return file_.has(group_ + path); }
  std::vector<double> values(const std::string& path) const {
    return file_.read_dataset<double>(group_ + path).values;
  }
  std::vector<std::string> results() const { return file_.list(group_ + "results"); }
  std::string text(const char* name) const { return file_.read_attribute<std::string>(group_, name); }

 private:
  int64_t integer(const char* name) const { return file_.read_attribute<int64_t>(group_, name); }
  double number(const char* name) const { return file_.read_attribute<double>(group_, name); }
  reference::Matrix<double> input(const std::string& name) const {
    const auto array = file_.read_dataset<float>(group_ + "inputs/" + name);
    return {array.dims.at(0), array.dims.size() > 1 ? array.dims[1] : 1, array.values};
  }
  std::unique_ptr<Layer> energy() const;
  std::unique_ptr<Layer> generator() const;
  std::unique_ptr<Layer> statistics() const;

  Hdf5File file_;
  std::string group_;
};

std::unique_ptr<MethodChoice> MethodGolden::choice() const {
  auto choice = method_row(text("method")).choose(NetworkKind::toy, Preset::paper);
  Options options("golden", "");
  declare_training(options, choice->training());
  choice->declare(options);
  declare_optimiser(options, choice->training());
  const std::vector<std::string> written = file_.list_attributes(group_);
  for (const OptionValue& option : options.run_values()) {
    if (std::find(written.begin(), written.end(), option.name) == written.end()) continue;
    const char* name = option.name.c_str();
    if (std::holds_alternative<int64_t>(option.value)) options.set_default(name, integer(name));
    if (std::holds_alternative<double>(option.value)) options.set_default(name, number(name));
    if (std::holds_alternative<std::string>(option.value)) options.set_default(name, text(name));
  }
  return choice;
}

std::unique_ptr<Layer> MethodGolden::energy() const {
  const int64_t inputs = integer("data_dim");
  reference::NetworkSpec spec = reference::table6_energy(inputs, integer("hidden"));
  for (LayerSpec& layer : spec)
    layer.spectral = layer.kind == reference::Kind::linear && has("before/energy/main.0.weight_u");
  const bool softplus = file_.has_attribute(group_, "energy_output") && text("energy_output") == "softplus";
  if (softplus) spec.push_back(LayerSpec::softplus());
  return named("main", layers_of(spec, flat(inputs)));
}

std::unique_ptr<Layer> MethodGolden::generator() const {
  const int64_t inputs = integer("latent_dim");
  reference::NetworkSpec spec = reference::table6_generator(inputs, integer("hidden"), integer("data_dim"));
  for (LayerSpec& layer : spec) {
    layer.eps = number("bn_epsilon");
    layer.momentum = number("bn_momentum");
  }
  if (text("generator_output") == "tanh") spec.push_back(LayerSpec::tanh());
  return named("main", layers_of(spec, flat(inputs)));
}

/// T: two layers for x, then two for what they give and z.
std::unique_ptr<Layer> MethodGolden::statistics() const {
  const auto rows = [&](const std::string& weight) {
    return file_.read_dataset<float>(group_ + "before/statistics/" + weight).dims;
  };
  const auto mlp = [&](const std::string& name) {
    const auto first = rows(name + ".0.weight"), last = rows(name + ".2.weight");
    return layers_of(
        {LayerSpec::linear(first[1], first[0]), LayerSpec::prelu(), LayerSpec::linear(last[1], last[0])},
        flat(first[1]));
  };
  return std::make_unique<JoinedInputs>(Sequential::Child{"trunk", mlp("trunk")},
                                        Sequential::Child{"head", mlp("head")});
}

NetworkMakers MethodGolden::networks() const {
  return {.energy = [this] { return energy(); },
          .generator = [this] { return generator(); },
          .statistics = [this] { return statistics(); }};
}

void MethodGolden::record(RecordedNoise& noise) const {
  for (const std::string& name : file_.list(group_ + "inputs")) {
    if (name != "x") noise.record(name, input(name));
  }
  // The exact bounds take nothing but v's sign from v0, so the file does not draw it for them alone.
  reference::Matrix<double> ones(integer("batch") * integer("generator_steps"), integer("latent_dim"));
  ones.values.assign(ones.values.size(), 1.0);
  if (!has("inputs/v0_generator")) noise.record("v0_generator", ones);
}

void MethodGolden::restore(Method& method, int64_t iteration) const {
  read_state(file_, method, group_ + "before/");
  const uint64_t done = static_cast<uint64_t>(iteration - 1);
  method.iteration().upload(std::span<const uint64_t>(&done, 1));
}

class MethodGoldenTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  static void expect_results(const MethodGolden& golden, Method& method, const Seen& seen) {
    const Tolerance tolerance{.factor = 100, .reason = "roundings of several layers and steps", .terms = 1};
    for (const std::string& name : golden.results()) {
      if (name == "v_generator") continue;  // its sign is free; GoldenTest looks at it
      const auto found = seen.results.find(name);
      const std::vector<float> actual =
          found != seen.results.end() ? found->second : std::vector<float>{number(method, name)};
      EXPECT_TRUE(close(actual, golden.values("results/" + name), tolerance)) << name;
    }
  }

  /// Arrays under `group`, each beside the largest number of all of them.
  static void expect_arrays(const MethodGolden& golden, Kernels& kernels, const std::string& group,
                            const std::vector<NamedArray>& arrays) {
    double largest = 0;
    for (const NamedArray& array : arrays) {
      for (const double value : golden.values(group + array.name))
        largest = std::max(largest, std::abs(value));
    }
    const Tolerance tolerance{
        .factor = 1000, .reason = "a slope's gradient is a sum that cancels", .terms = largest / 10};
    for (const NamedArray& array : arrays) {
      EXPECT_TRUE(close(download(kernels, array.view), golden.values(group + array.name), tolerance))
          << array.name;
    }
  }
};

TEST_P(MethodGoldenTest, ThreeIterations) {
  const auto& [name, device] = GetParam();
  for (int64_t iteration = 1; iteration <= 3; ++iteration) {
    SCOPED_TRACE("iteration " + std::to_string(iteration));
    const MethodGolden golden(name, iteration);
    const auto kernels = open_device(device);
    RecordedNoise noise(*kernels);
    golden.record(noise);
    RecordedData data(*kernels, golden.x());
    const auto method = golden.choice()->make(*kernels, golden.networks(), data, &noise);
    golden.restore(*method, iteration);
    Seen seen(*kernels);
    method->iterate(seen);

    expect_results(golden, *method, seen);
    for (const Learner* learner : method->learners()) {
      expect_arrays(golden, *kernels, "gradients/", gradient_arrays(*learner));
      expect_arrays(golden, *kernels, "after/", state_arrays(*learner));
    }
    EXPECT_FALSE(method->numbers().download().not_finite);
  }
}

INSTANTIATE_TEST_SUITE_P(All, MethodGoldenTest,
                         testing::Combine(testing::ValuesIn(method_goldens()), testing::ValuesIn(devices())),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param);
                         });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MethodGoldenTest);

}  // namespace
}  // namespace ebm::test
