// SPDX-License-Identifier: MIT
#include "support/golden.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "methods/ebm_bb_options.h"
#include "support/files.h"
#include "train/state.h"

namespace ebm::test {

namespace {

namespace fs = std::filesystem;

template <class Choice, size_t N>
Choice choice(const std::string& name, const Names<Choice, N>& names) {
  for (const auto& [known, value] : names) {
    if (name == known) return value;
  }
  throw Error("a golden file says '" + name + "', which no option here has");
}

std::unique_ptr<Layer> named_main(std::unique_ptr<Layer> main, std::unique_ptr<Layer> l = nullptr) {
  std::vector<Sequential::Child> children;
  children.push_back({"main", std::move(main)});
  if (l != nullptr) children.push_back({"l", std::move(l)});
  return std::make_unique<Sequential>(std::move(children));
}

}  // namespace

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(golden_folder(), none)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".h5" && name.starts_with("toy_")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

GoldenIteration::GoldenIteration(const std::string& name, int64_t iteration)
    : file_(Hdf5File::open_read(golden_folder() / (name + ".h5"))),
      group_("iteration-" + std::to_string(iteration) + "/") {}

EbmBbOptions GoldenIteration::options() const {
  EbmBbOptions options;
  options.training.batch = integer("batch");
  if (text("lower_bound") != "none") {
    options.lower = EntropyBoundOptions{.kind = choice(text("lower_bound"), lower_bound_names),
                                        .lobpcg_iterations = integer("lobpcg_iterations"),
                                        .lanczos_pairs = integer("slq_pairs")};
  }
  options.upper.kind = choice(text("upper_bound"), upper_bound_names);
  options.upper.weight = number("penalty_weight");
  options.upper.normaliser = choice(text("penalty_normaliser"), normaliser_names);
  options.upper.hinge = number("hinge");
  options.entropy_weight = number("entropy_weight");
  options.entropy_points = choice(text("entropy_z"), entropy_points_names);
  options.training.lr_energy = number("lr_energy");
  options.training.lr_generator = number("lr_generator");
  options.training.optimiser.adam = {
      .beta1 = number("adam_beta1"), .beta2 = number("adam_beta2"), .epsilon = number("adam_epsilon")};
  return options;
}

NetworkMakers GoldenIteration::networks() const {
  return {.energy = [this] { return energy(); }, .generator = [this] { return generator(); }};
}

std::unique_ptr<Layer> GoldenIteration::energy() const {
  const int64_t inputs = integer("data_dim");
  auto main = layers_of(reference::table6_energy(inputs, integer("hidden")), flat(inputs));
  if (text("preset") != "code") return named_main(std::move(main));
  reference::LayerSpec scale = reference::LayerSpec::linear(1, 1);
  scale.bias = false;
  return named_main(std::move(main), layers_of({scale}, flat(1)));
}

reference::NetworkSpec GoldenIteration::generator_spec() const {
  reference::NetworkSpec spec =
      reference::table6_generator(integer("latent_dim"), integer("hidden"), integer("data_dim"));
  for (reference::LayerSpec& layer : spec) {
    layer.eps = number("bn_epsilon");
    layer.momentum = number("bn_momentum");
  }
  if (text("generator_output") == "tanh") spec.push_back(reference::LayerSpec::tanh());
  return spec;
}

std::unique_ptr<Layer> GoldenIteration::generator() const {
  return named_main(layers_of(generator_spec(), flat(integer("latent_dim"))));
}

reference::Network GoldenIteration::generator_oracle(const Parameters& parameters) const {
  return {.layers = generator_spec(),
          .parameters = gathered("before/generator/", parameters.trainable()),
          .running = gathered("before/generator/", parameters.statistics())};
}

reference::Matrix<double> GoldenIteration::input(const std::string& path) const {
  const auto array = file_.read_dataset<float>(group_ + path);
  return {array.dims.at(0), array.dims.size() > 1 ? array.dims[1] : 1, array.values};
}

std::vector<double> GoldenIteration::values(const std::string& path) const {
  return file_.read_dataset<double>(group_ + path).values;
}

std::vector<double> GoldenIteration::gathered(const std::string& folder,
                                              const std::deque<Parameter>& parameters) const {
  std::vector<double> all;
  for (const Parameter& p : parameters) {
    const std::string name = group_ + folder + p.name;
    if (folder.starts_with("before/")) {  // float32, exactly what was used
      const auto part = file_.read_dataset<float>(name).values;
      all.insert(all.end(), part.begin(), part.end());
    } else {
      const auto part = file_.read_dataset<double>(name).values;
      all.insert(all.end(), part.begin(), part.end());
    }
  }
  return all;
}

void GoldenIteration::record(RecordedNoise& noise) const {
  for (const std::string& name : file_.list(group_ + "inputs")) {
    if (name != "x") noise.record(name, input("inputs/" + name));
  }
  // The exact bounds take nothing but v's sign from v0, so the file does not draw it for them alone.
  const std::string lower = text("lower_bound");
  const bool exact = lower == "s1" || lower == "logdet";
  reference::Matrix<double> ones(integer("batch"), integer("latent_dim"));
  ones.values.assign(ones.values.size(), 1.0);
  if (exact && !has("inputs/v0")) noise.record("v0", ones);
  if (exact && !has("inputs/v0_generator")) noise.record("v0_generator", ones);
}

void GoldenIteration::restore(Method& method) const {
  read_state(file_, method, group_ + "before/");
}

}  // namespace ebm::test
