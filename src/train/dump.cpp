// SPDX-License-Identifier: MIT
#include "train/dump.h"

#include <set>
#include <string>

#include "io/atomic_file.h"
#include "io/config_values.h"
#include "train/state.h"

namespace ebm {

namespace {

class Dump final : public Watcher {
 public:
  Dump(Method& method, Hdf5File& file) : method_(method), kernels_(method.kernels()), file_(file) {}

  void options(const std::vector<OptionValue>& values);
  void state(const std::string& prefix) { write_state(file_, method_, prefix, NotFinite::written); }
  void iteration();
  void see(const std::string& name, ConstView values) override {
    array("results/" + name, values);
    seen_.insert(name);
  }

 private:
  void array(const std::string& name, ConstView view);
  void numbers();

  Method& method_;
  Kernels& kernels_;
  Hdf5File& file_;
  std::set<std::string> seen_;
};

void Dump::options(const std::vector<OptionValue>& values) {
  for (const OptionValue& option : values) write_option(file_, "/", option);
  file_.write_attribute("/", "iteration", static_cast<int64_t>(method_.iteration().download().at(0)) + 1);
}

/// N x F, or N x C x H x W for images; N alone for one number a row. Absent when the view is empty.
void Dump::array(const std::string& name, ConstView view) {
  if (view.empty()) return;
  const Features& features = view.features;
  std::vector<float> values = download(kernels_, view);
  std::vector<int64_t> shape{view.rows};
  if (features.pixels() > 1) {
    values = to_pytorch_order(values, {.channels = features.channels, .pixels = features.pixels()});
    shape.insert(shape.end(), {features.channels, features.height, features.width});
  } else if (view.columns() > 1) {
    shape.push_back(view.columns());
  }
  file_.write_dataset(name, std::span<const float>(values), shape);
}

/// Those whose name stands for no array that the iteration told.
void Dump::numbers() {
  const Numbers::Values values = method_.numbers().download();
  const std::vector<Numbers::Entry>& entries = method_.numbers().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (seen_.contains(entries[i].name)) continue;
    file_.write_dataset("results/" + entries[i].name, std::span<const float>(&values.numbers[i], 1), {});
  }
}

void Dump::iteration() {
  method_.iterate(*this);
  array("inputs/x", method_.data_points());
  method_.draws().each([&](const std::string& name, ConstView values) { array("inputs/" + name, values); });
  numbers();
  for (const Learner* learner : method_.learners())
    write_arrays(file_, kernels_, "gradients/", gradient_arrays(*learner));
}

}  // namespace

void dump_iteration(Method& method, const std::vector<OptionValue>& options,
                    const std::filesystem::path& path) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    Hdf5File file = Hdf5File::create(temporary, Hdf5File::Strings::variable);
    Dump dump(method, file);
    dump.options(options);
    dump.state("before/");
    dump.iteration();
    dump.state("after/");
    file.close();
  });
}

}  // namespace ebm
