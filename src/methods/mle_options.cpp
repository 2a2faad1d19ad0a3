// SPDX-License-Identifier: MIT
#include "methods/mle_options.h"

#include "methods/mle.h"

namespace ebm {

namespace {

class MleChoice final : public MethodChoice {
 public:
  MleChoice() {
    training_.batch = 200;
    training_.lr_energy = 2e-3;
    training_.optimiser.adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    training_.optimiser.schedule.kind = RateSchedule::Kind::cosine;
  }

  TrainingOptions& training() override { return training_; }
  void declare(Options&) override {}

  std::vector<IdleOption> idle_options() const override {
    std::vector<IdleOption> idle;
    for (const char* name :
         {"lr_generator", "energy_steps", "generator_steps", "generator", "generator_depth",
          "generator_activation", "couplings", "coupling_width", "coupling_steps"})
      idle.push_back({name, "--method mle"});
    return idle;
  }

  std::unique_ptr<Method> make(Kernels& kernels, const NetworkMakers& networks, DataSource& data,
                               NoiseSource* noise) const override {
    return std::make_unique<Mle>(kernels, networks, data, training_, noise);
  }

 private:
  TrainingOptions training_;
};

}  // namespace

std::unique_ptr<MethodChoice> choose_mle(NetworkKind, Preset) {
  return std::make_unique<MleChoice>();
}

}  // namespace ebm
