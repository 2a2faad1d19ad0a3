// SPDX-License-Identifier: MIT
// Every method of the registry, with small networks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../io/io_fixture.h"
#include "methods/registry.h"
#include "runs/data.h"
#include "support/devices.h"
#include "support/recorded.h"
#include "train/state.h"

namespace ebm::test {

/// A method with some of the options that every method has.
struct MethodCase {
  std::string name;  ///< of the test
  std::string method = "ebm_bb";
  NetworkOptions networks = toy_networks();
  Preset preset = Preset::paper;
  std::function<void(TrainingOptions&)> change = [](TrainingOptions&) {};
  std::vector<std::pair<const char*, int64_t>> options = {};  ///< of this method alone
};
inline std::ostream& operator<<(std::ostream& out, const MethodCase& method) {
  return out << method.name;
}

inline NetworkOptions narrow(NetworkOptions networks) {
  const bool flat = networks.kind == NetworkKind::toy || networks.kind == NetworkKind::mlp;
  networks.width = flat ? 9 : networks.kind == NetworkKind::resnet ? 1 : 2;
  if (networks.kind == NetworkKind::mlp) networks.width = 16;
  if (networks.kind != NetworkKind::toy) networks.latent = 2;
  return networks;
}

class SmallMethod {
 public:
  enum class Noise { fresh, recorded };

  SmallMethod(const std::string& device, const MethodCase& method, Noise noise = Noise::fresh)
      : kernels(open_device(device)), recorded(*kernels) {
    const auto choice = method_row(method.method).choose(method.networks.kind, method.preset);
    NetworkOptions networks = method.networks;
    choice->suggest(networks);
    networks = narrow(networks);
    TrainingOptions& training = choice->training();
    training.batch = networks.kind == NetworkKind::toy ? 11 : 3;
    method.change(training);
    Options options("small", "");
    choice->declare(options);
    for (const auto& [option, value] : method.options) options.set_default(option, value);
    RateSchedule& schedule = training.optimiser.schedule;
    if (schedule.kind != RateSchedule::Kind::constant && schedule.horizon == 0) schedule.horizon = 50;
    data = make_up_data(*kernels, networks, training);
    trained = assemble(*kernels, networks, *choice, *data, noise == Noise::recorded ? &recorded : nullptr);
    trained->initialize();
  }

  /// All that lasts, the gradients and the numbers.
  std::vector<std::vector<float>> everything() {
    std::vector<std::vector<float>> all;
    for (const Learner* learner : trained->learners()) {
      for (auto* list : {&state_arrays, &gradient_arrays})
        for (const NamedArray& array : list(*learner)) all.push_back(download(*kernels, array.view));
    }
    for (Learner* learner : trained->learners())
      all.push_back({static_cast<float>(learner->steps().download().at(0))});
    for (const ExtraState& extra : trained->extra_state()) {
      const std::vector<double> state = extra.values->download();
      all.emplace_back(state.begin(), state.end());
    }
    const Numbers::Values numbers = trained->numbers().download();
    EXPECT_FALSE(numbers.not_finite);
    all.push_back(numbers.numbers);
    return all;
  }

  std::unique_ptr<Kernels> kernels;
  RecordedNoise recorded;
  std::unique_ptr<DataSource> data;
  std::unique_ptr<Method> trained;
};

}  // namespace ebm::test
