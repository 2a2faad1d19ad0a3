// SPDX-License-Identifier: MIT
#include "rank_cases.h"

#include "methods/gan_options.h"
#include "methods/meg_options.h"
#include "methods/mle.h"
#include "methods/vera_options.h"
#include "models/stack.h"
#include "models/toy.h"
#include "runs/data.h"
#include "support/networks.h"

namespace ebm::test {

namespace {

constexpr int64_t batch = 32;

LayerMaker layers(int64_t in, int64_t out, Norms norms, WeightNorm weights = WeightNorm::none) {
  return [=]() -> std::unique_ptr<Layer> {
    Stack stack(flat(in));
    stack.weight_norm(weights).linear(9);
    if (norms == Norms::batch) stack.batch_norm(1e-2f, leaky_relu(0.2f));
    stack.linear(7);
    if (norms == Norms::batch) stack.batch_norm(1e-2f);
    stack.smooth(Curve::softplus).linear(out);
    return stack.build();
  };
}

NetworkMakers networks(Norms norms, WeightNorm weights = WeightNorm::none) {
  return {.energy = layers(2, 1, norms, weights),
          .generator = layers(2, 2, norms),
          .statistics = layers(4, 1, Norms::none)};
}

RankCase gan(const std::string& name, GanLoss loss, Norms norms, WeightNorm weights) {
  return {.name = name, .make = [=](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
            return std::make_unique<Gan>(
                kernels, networks(norms, weights), data,
                GanOptions{.training = training, .loss = loss, .generator_batch = 2 * batch});
          }};
}

}  // namespace

RankCase ebm_bb_case(const std::string& name, Norms norms, const std::function<void(EbmBbOptions&)>& change) {
  return {.name = name, .make = [=](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
            EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper);
            options.training = training;
            change(options);
            return std::make_unique<EbmBb>(kernels, networks(norms), data, options);
          }};
}

RankCase dcgan_case() {
  return gan("dcgan", GanLoss::softplus, Norms::batch, WeightNorm::none);
}

std::vector<RankCase> rank_cases() {
  std::vector<RankCase> cases;
  // The penalty is above the hinge in some iterations, and below it in others.
  cases.push_back(ebm_bb_case("ebm_bb_with_a_hinge", Norms::batch, [](EbmBbOptions& options) {
    options.upper.weight = 10;
    options.upper.hinge = 0.02;
  }));
  cases.push_back(ebm_bb_case("ebm_bb_at_the_energys_z", Norms::batch, [](EbmBbOptions& options) {
    options.entropy_points = EntropyPoints::energy;
    options.upper.normaliser = PenaltyNormaliser::v2;
    options.upper.hinge = 0;
  }));
  cases.push_back(ebm_bb_case("ebm_bb_preconditioned", Norms::none, [](EbmBbOptions& options) {
    options.lower = EntropyBoundOptions{
        .kind = EntropyBoundKind::slq, .lanczos_pairs = 1, .preconditioning = Preconditioning::running_gram};
  }));
  cases.push_back({.name = "ebm_bb_with_importance_weights",
                   .make = [](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
                     EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::tuned);
                     options.training = training;
                     options.training.generator_steps = 2;
                     options.upper.wide = {.share = 0.4, .scale = 2};
                     NetworkMakers makers = networks(Norms::none);
                     makers.generator = [] { return toy_flow(5, 2, 3); };
                     return std::make_unique<EbmBb>(kernels, makers, data, options);
                   }});
  cases.push_back(ebm_bb_case("ebm_0gp", Norms::batch, [](EbmBbOptions& options) {
    options.upper = {.kind = EnergyPenaltyKind::gp_real, .weight = 0.5, .hinge = 0.01};
  }));
  cases.push_back(ebm_bb_case("wgan_0gp", Norms::batch, [](EbmBbOptions& options) {
    options.lower.reset();
    options.upper = {.kind = EnergyPenaltyKind::gp_interpolated, .weight = 0.5, .hinge = 0};
  }));
  cases.push_back(
      {.name = "meg", .make = [](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
         MegOptions options = meg_options(NetworkKind::toy, Preset::paper);
         options.training = training;
         return std::make_unique<Meg>(kernels, networks(Norms::batch), data, options);
       }});
  cases.push_back(
      {.name = "vera", .make = [](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
         VeraOptions options = vera_options(NetworkKind::toy, Preset::paper);
         options.training = training;
         // Adam takes no notice of a gradient's length where it is large, or was clipped.
         options.training.optimiser.clip_gradient_norm = 0;
         options.training.optimiser.adam.epsilon = 1;
         options.importance_samples = 3;
         options.entropy_weight = 0.1;
         options.lr_posterior = 0.05;
         return std::make_unique<Vera>(kernels, networks(Norms::batch), data, options);
       }});
  cases.push_back(dcgan_case());
  cases.push_back(gan("sngan", GanLoss::hinge, Norms::none, WeightNorm::spectral));
  cases.push_back({.name = "mle",
                   .make =
                       [](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
                         return std::make_unique<Mle>(kernels, networks(Norms::none), data, training);
                       },
                   .energy_steps = 1});
  return cases;
}

TrainingOptions training(const RankCase& of, Communicator* ranks) {
  TrainingOptions training;
  training.batch = batch;
  training.energy_steps = of.energy_steps;
  training.lr_energy = training.lr_generator = 1e-3;
  training.optimiser.adam.epsilon = 1e-2;
  training.optimiser.clip_gradient_norm = 0.5;
  training.optimiser.ema = 0.5;
  training.optimiser.ranks = ranks;
  training.optimiser.sync_batch_norm = true;
  return training;
}

void append(std::vector<float>& to, Kernels& kernels, const Network& network) {
  for (const View values : {network.parameters().values(), network.parameters().statistics_values()}) {
    if (values.empty()) continue;
    const std::vector<float> more = download(kernels, values);
    to.insert(to.end(), more.begin(), more.end());
  }
}

Trained train(const RankCase& of, Kernels& kernels, const TrainingOptions& options, int64_t iterations) {
  const auto data = make_toy_data(kernels, ToyDataset::gaussians25, options);
  const auto method = of.make(kernels, *data, options);
  method->initialize();
  const auto iteration = kernels.capture([&method] { method->iterate(); });
  for (int64_t i = 0; i < iterations; ++i) iteration->launch();
  Trained trained;
  for (Learner* learner : method->learners()) {
    append(trained.state, kernels, learner->network());
    append(trained.state, kernels, *learner->average());
  }
  for (const ExtraState& extra : method->extra_state())
    for (const double x : extra.values->download()) trained.state.push_back(static_cast<float>(x));
  trained.numbers = method->numbers().download().numbers;
  return trained;
}

}  // namespace ebm::test
