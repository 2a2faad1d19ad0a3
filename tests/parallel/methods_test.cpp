// SPDX-License-Identifier: MIT
// Whole methods: ranks, a thread each, that share every batch end where one rank ends.
#include <gtest/gtest.h>

#include "methods/ebm_bb_options.h"
#include "methods/gan_options.h"
#include "methods/meg_options.h"
#include "methods/mle.h"
#include "methods/vera_options.h"
#include "models/stack.h"
#include "models/toy.h"
#include "runs/data.h"
#include "support/tolerance.h"
#include "thread_ranks.h"
#include "train/follower.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 32;

enum class Norms { none, batch };

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

/// A method, and how it is made for some ranks.
struct RankCase {
  std::string name;
  std::function<std::unique_ptr<Method>(Kernels&, DataSource&, const TrainingOptions&)> make;
  int64_t energy_steps = 2;
};
std::ostream& operator<<(std::ostream& out, const RankCase& of) {
  return out << of.name;
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

struct Trained {
  std::vector<float> state, numbers;
};

void append(std::vector<float>& to, Kernels& kernels, const Network& network) {
  for (const View values : {network.parameters().values(), network.parameters().statistics_values()}) {
    if (values.empty()) continue;
    const std::vector<float> more = download(kernels, values);
    to.insert(to.end(), more.begin(), more.end());
  }
}

Trained train(const RankCase& of, const TrainingOptions& options, int64_t iterations) {
  const auto kernels = open_device("cpu");
  const auto data = make_toy_data(*kernels, ToyDataset::gaussians25, options);
  const auto method = of.make(*kernels, *data, options);
  method->initialize();
  for (int64_t i = 0; i < iterations; ++i) method->iterate();
  Trained trained;
  for (Learner* learner : method->learners()) {
    append(trained.state, *kernels, learner->network());
    append(trained.state, *kernels, *learner->average());
  }
  for (const ExtraState& extra : method->extra_state())
    for (const double x : extra.values->download()) trained.state.push_back(static_cast<float>(x));
  trained.numbers = method->numbers().download().numbers;
  return trained;
}

/// What each of `size` ranks ends with.
std::vector<Trained> train_ranks(const RankCase& of, int64_t size, int64_t iterations) {
  std::vector<Trained> all(static_cast<size_t>(size));
  run_ranks(size, [&](Communicator* ranks) {
    all.at(ranks == nullptr ? 0 : static_cast<size_t>(ranks->rank())) =
        train(of, training(of, ranks), iterations);
  });
  return all;
}

// --- the cases

RankCase ebm_bb(const std::string& name, Norms norms, const std::function<void(EbmBbOptions&)>& change) {
  return {.name = name, .make = [=](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
            EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper);
            options.training = training;
            change(options);
            return std::make_unique<EbmBb>(kernels, networks(norms), data, options);
          }};
}

RankCase gan(const std::string& name, GanLoss loss, Norms norms, WeightNorm weights) {
  return {.name = name, .make = [=](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
            return std::make_unique<Gan>(
                kernels, networks(norms, weights), data,
                GanOptions{.training = training, .loss = loss, .generator_batch = 2 * batch});
          }};
}

std::vector<RankCase> rank_cases() {
  std::vector<RankCase> cases;
  // The penalty is above the hinge in some iterations, and below it in others.
  cases.push_back(ebm_bb("ebm_bb_with_a_hinge", Norms::batch, [](EbmBbOptions& options) {
    options.upper.weight = 10;
    options.upper.hinge = 0.02;
  }));
  cases.push_back(ebm_bb("ebm_bb_at_the_energys_z", Norms::batch, [](EbmBbOptions& options) {
    options.entropy_points = EntropyPoints::energy;
    options.upper.normaliser = PenaltyNormaliser::v2;
    options.upper.hinge = 0;
  }));
  cases.push_back(ebm_bb("ebm_bb_preconditioned", Norms::none, [](EbmBbOptions& options) {
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
  cases.push_back(ebm_bb("ebm_0gp", Norms::batch, [](EbmBbOptions& options) {
    options.upper = {.kind = EnergyPenaltyKind::gp_real, .weight = 0.5, .hinge = 0.01};
  }));
  cases.push_back(ebm_bb("wgan_0gp", Norms::batch, [](EbmBbOptions& options) {
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
  cases.push_back(gan("dcgan", GanLoss::softplus, Norms::batch, WeightNorm::none));
  cases.push_back(gan("sngan", GanLoss::hinge, Norms::none, WeightNorm::spectral));
  cases.push_back({.name = "mle",
                   .make =
                       [](Kernels& kernels, DataSource& data, const TrainingOptions& training) {
                         return std::make_unique<Mle>(kernels, networks(Norms::none), data, training);
                       },
                   .energy_steps = 1});
  return cases;
}

class RankMethodsTest : public testing::TestWithParam<RankCase> {};

TEST_P(RankMethodsTest, AnyNumberOfRanksEndsWhereOneEnds) {
  constexpr int64_t iterations = 20;
  const Trained whole = train_ranks(GetParam(), 1, iterations).front();
  for (const int64_t size : {2, 4}) {
    SCOPED_TRACE(size);
    const std::vector<Trained> ranks = train_ranks(GetParam(), size, iterations);
    for (const Trained& rank : ranks) {
      EXPECT_EQ(rank.state, ranks.front().state) << "ranks stay together";
      EXPECT_EQ(rank.numbers, ranks.front().numbers);
    }
    const Tolerance tolerance{.factor = 512, .reason = "roundings of sixty steps of Adam"};
    EXPECT_TRUE(close(ranks.front().state, whole.state, tolerance));
    EXPECT_TRUE(close(ranks.front().numbers, whole.numbers, tolerance));
    EXPECT_EQ(train_ranks(GetParam(), size, 3).back().state, train_ranks(GetParam(), size, 3).front().state)
        << "the same bits again";
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, RankMethodsTest, testing::ValuesIn(rank_cases()),
                         [](const auto& info) { return info.param.name; });

// --- batch norms of their own

TEST(RankStatisticsTest, OfRanksOfTheirOwnBecomeTheirMean) {
  const RankCase of = gan("dcgan", GanLoss::softplus, Norms::batch, WeightNorm::none);
  constexpr int64_t size = 2;
  std::vector<Trained> all(size);
  std::vector<float> together = train_ranks(of, size, 2).front().state;
  run_ranks(size, [&](Communicator* ranks) {
    TrainingOptions options = training(of, ranks);
    options.optimiser.sync_batch_norm = false;
    all.at(static_cast<size_t>(ranks->rank())) = train(of, options, 2);
  });
  EXPECT_EQ(all[0].state, all[1].state);
  EXPECT_NE(all[0].state, together) << "their batches are not one";
}

// --- gradients that travel rounded

TEST(RankCompressionTest, RanksStayTogetherAndGiveTheSameBitsAgain) {
  const RankCase of = ebm_bb("ebm_bb", Norms::batch, [](EbmBbOptions&) {});
  constexpr int64_t size = 4;
  const auto states = [&](Type travel) {
    std::vector<std::vector<float>> all(size);
    run_ranks(size, [&](Communicator* ranks) {
      TrainingOptions options = training(of, ranks);
      options.optimiser.gradient_travel = travel;
      all.at(static_cast<size_t>(ranks->rank())) = train(of, options, 3).state;
    });
    return all;
  };
  const auto rounded = states(Type::bfloat16);
  for (const std::vector<float>& state : rounded) EXPECT_EQ(state, rounded[0]);
  EXPECT_EQ(states(Type::bfloat16), rounded);
  const std::vector<float> whole = states(Type::float32)[0];
  EXPECT_NE(whole, rounded[0]);
  EXPECT_TRUE(close(rounded[0], whole, {.factor = 0x1p16, .reason = "bfloat16's epsilon over float32's"}));
}

TEST(RankBatchTest, MustDivide) {
  EXPECT_EQ(rank_batch(12, nullptr), 12);
  run_ranks(3, [](Communicator* ranks) {
    EXPECT_EQ(rank_batch(12, ranks), 4);
    EXPECT_THROW(rank_batch(13, ranks), UsageError);
  });
}

// --- the state of rank 0

TEST(RankStateTest, BecomesThatOfAll) {
  const RankCase of = rank_cases().at(2);  // with a running Gram matrix
  std::vector<std::vector<float>> states(3);
  run_ranks(3, [&](Communicator* ranks) {
    const auto kernels = open_device("cpu");
    TrainingOptions options = training(of, nullptr);
    options.batch = 12;
    options.seed = 5 + ranks->rank();
    const auto data = make_toy_data(*kernels, ToyDataset::gaussians25, options);
    options.optimiser.ranks = ranks;
    const auto method = of.make(*kernels, *data, options);
    method->initialize();
    for (const ExtraState& extra : method->extra_state())
      extra.values->upload(std::vector<double>(static_cast<size_t>(extra.values->size()),
                                               static_cast<double>(ranks->rank()) + 2));
    const uint64_t iteration = ranks->rank() == 0 ? 17 : 0;
    method->iteration().upload(std::span<const uint64_t>(&iteration, 1));
    int64_t done = 0;
    share_state(*method, done);
    EXPECT_EQ(done, 17);
    std::vector<float>& state = states.at(static_cast<size_t>(ranks->rank()));
    for (Learner* learner : method->learners()) {
      append(state, *kernels, learner->network());
      append(state, *kernels, *learner->average());
    }
    EXPECT_EQ(method->extra_state().at(0).values->download().at(1), 2);
  });
  EXPECT_EQ(states[0], states[1]);
  EXPECT_EQ(states[0], states[2]);
}

}  // namespace
}  // namespace ebm::test
