// SPDX-License-Identifier: MIT
// Whole iterations against the oracle's, for every kind of bound; and what the game promises besides numbers.
#include "train/game.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <tuple>

#include "reference/random.h"
#include "support/devices.h"
#include "support/oracle_options.h"
#include "support/recorded.h"
#include "train/played.h"
#include "train/trainer_fixture.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 5, hidden = 7;

enum class Output { linear, tanh };

struct GameCase {
  std::string name;
  int64_t d, D;
  Output output;
  std::optional<LowerBoundOptions> lower;
  UpperBoundOptions upper;
  EntropyPoints points;

  GameOptions options() const {
    return {.batch = batch,
            .lower = lower,
            .upper = upper,
            .entropy_weight = lower ? 0.6 : 0.0,
            .entropy_points = points,
            .lr_energy = 3e-3,
            .lr_generator = 2e-3,
            .adam = {.beta1 = 0.4, .beta2 = 0.9, .epsilon = 1e-6}};
  }
};
std::ostream& operator<<(std::ostream& out, const GameCase& game) {
  return out << game.name;
}

std::vector<GameCase> game_cases() {
  using enum LowerBoundKind;
  using enum UpperBoundKind;
  const UpperBoundOptions penalty{.kind = bidirectional, .weight = 2, .hinge = 0.1};
  const auto normalised = [&](PenaltyNormaliser normaliser) {
    UpperBoundOptions options = penalty;
    options.normaliser = normaliser;
    return options;
  };
  const auto gradient_penalty = [](UpperBoundKind kind) {
    return UpperBoundOptions{.kind = kind, .weight = 3, .normaliser = PenaltyNormaliser::none, .hinge = 0.1};
  };
  constexpr auto energy = EntropyPoints::energy, generator = EntropyPoints::generator;
  return {
      {"Lobpcg", 4, 5, Output::tanh, LowerBoundOptions{.kind = lobpcg}, penalty, generator},
      {"LobpcgAtEnergyPoints", 4, 5, Output::tanh, LowerBoundOptions{.kind = lobpcg},
       normalised(PenaltyNormaliser::none), energy},
      {"LobpcgAuthors", 4, 5, Output::tanh,
       LowerBoundOptions{.kind = lobpcg, .direction = Direction::authors}, penalty, generator},
      {"ExactInThePlane", 2, 2, Output::linear, LowerBoundOptions{.kind = lobpcg}, penalty, generator},
      {"ExactAtEnergyPoints", 3, 4, Output::linear, LowerBoundOptions{.kind = s1}, penalty, energy},
      {"LogDet", 3, 4, Output::tanh, LowerBoundOptions{.kind = logdet}, normalised(PenaltyNormaliser::v2),
       generator},
      {"SlqAtEnergyPoints", 4, 5, Output::tanh, LowerBoundOptions{.kind = slq, .lanczos_pairs = 2},
       normalised(PenaltyNormaliser::v), energy},
      {"GradientReal", 3, 4, Output::linear, LowerBoundOptions{.kind = s1}, gradient_penalty(gp_real),
       generator},
      {"GradientFake", 3, 4, Output::tanh, LowerBoundOptions{.kind = lobpcg, .lobpcg_iterations = 1},
       gradient_penalty(gp_fake), energy},
      {"GradientInterpolated", 3, 4, Output::linear, std::nullopt, gradient_penalty(gp_interpolated),
       generator},
  };
}

/// Where an iteration starts, and what the oracle makes of it.
struct Start {
  reference::GameState state;
  reference::GameInputs in;
  ExpectedIteration expected;
};

reference::Moments random_moments(reference::Random& random, size_t count, int64_t step) {
  reference::Moments moments{.exp_avg = random.normals(static_cast<int64_t>(count)),
                             .exp_avg_sq = random.uniforms(static_cast<int64_t>(count)),
                             .step = step};
  moments.exp_avg = reference::rounded_to_float(moments.exp_avg);
  moments.exp_avg_sq = reference::rounded_to_float(moments.exp_avg_sq);
  return moments;
}

void add_entropy(const std::vector<reference::EntropySample>& samples, const std::string& suffix,
                 bool has_log_s1, ExpectedIteration& expected) {
  for (const reference::EntropySample& sample : samples) {
    expected.results["entropy" + suffix].push_back(sample.value);
    if (has_log_s1) expected.results["log_s1" + suffix].push_back(sample.log_s1);
    if (sample.v.empty()) continue;
    std::vector<double>& v = expected.results["v" + suffix];
    v.insert(v.end(), sample.v.begin(), sample.v.end());
  }
}

ExpectedIteration oracles(const GameCase& game, const reference::GameState& state,
                          const reference::GameInputs& in) {
  const reference::GameResult played = play(oracle_config(game.options()), state, in);
  ExpectedIteration expected{.results = {{"energy_real", played.energy_real},
                                         {"energy_fake", played.energy_fake},
                                         {"penalty", {played.penalty}},
                                         {"loss_energy", {played.loss_energy}},
                                         {"loss_generator", {played.loss_generator}}},
                             .energy_gradient = played.gradient_energy,
                             .generator_gradient = played.gradient_generator,
                             .running = played.after.generator.running,
                             .spectra = {}};
  if (!played.directional.empty()) expected.results["directional"] = played.directional;
  if (!played.a.values.empty()) expected.results["a"] = played.a.values;
  const bool has_log_s1 =
      game.lower && game.lower->kind != LowerBoundKind::logdet && game.lower->kind != LowerBoundKind::slq;
  add_entropy(played.entropy, "", has_log_s1, expected);
  add_entropy(played.entropy_generator, "_generator", has_log_s1, expected);
  reference::Network g = state.generator.with(reference::Statistics::running);
  g.running = g.running_after(in.z);
  if (!played.entropy.empty()) expected.spectra["v"] = spectra_of(g, in.z);
  g.running = g.running_after(in.z_generator);
  if (!played.entropy_generator.empty()) expected.spectra["v_generator"] = spectra_of(g, in.z_generator);
  return expected;
}

Start start_of(const GameCase& game) {
  reference::Random random(29);
  const auto rows = [&](int64_t columns) { return rounded_to_float(random.matrix(batch, columns)); };
  reference::NetworkSpec generator = reference::table6_generator(game.d, hidden, game.D);
  if (game.output == Output::tanh) generator.push_back(reference::LayerSpec::tanh());
  Start start;
  start.state.energy =
      random_network(reference::table6_energy(game.D, hidden), reference::Statistics::batch, 41);
  start.state.generator = random_network(generator, reference::Statistics::batch, 42);
  start.state.energy_moments = random_moments(random, start.state.energy.parameters.size(), 3);
  start.state.generator_moments = random_moments(random, start.state.generator.parameters.size(), 6);
  start.in = {.x = rows(game.D),
              .z = rows(game.d),
              .v0 = rows(game.d),
              .p0 = rows(game.d),
              .z_generator = rows(game.d),
              .v0_generator = rows(game.d),
              .p0_generator = rows(game.d),
              .between = reference::rounded_to_float(random.uniforms(batch))};
  start.expected = oracles(game, start.state, start.in);
  return start;
}

class GameTest : public testing::TestWithParam<std::tuple<GameCase, std::string>> {
 protected:
  static const Start& start(const GameCase& game) {  // one play of the oracle for all devices
    static std::map<std::string, Start> known;
    if (!known.contains(game.name)) known.emplace(game.name, start_of(game));
    return known.at(game.name);
  }
  static void load_moments(Kernels& kernels, const Parameters& p, const reference::Moments& moments) {
    scatter(kernels, p.trainable(), p.first_moments(), moments.exp_avg);
    scatter(kernels, p.trainable(), p.second_moments(), moments.exp_avg_sq);
  }
};

TEST_P(GameTest, OneIteration) {
  const auto& [game_case, device] = GetParam();
  const Start& begin = start(game_case);
  const reference::GameInputs& in = begin.in;
  const auto kernels = open_device(device);
  Network energy(*kernels, layers_of(begin.state.energy.layers, flat(game_case.D)));
  Network generator(*kernels, layers_of(begin.state.generator.layers, flat(game_case.d)));
  load(*kernels, energy, begin.state.energy);
  load(*kernels, generator, begin.state.generator);
  load_moments(*kernels, energy.parameters(), begin.state.energy_moments);
  load_moments(*kernels, generator.parameters(), begin.state.generator_moments);
  RecordedNoise noise(*kernels);
  noise.record(Stream::z, in.z);
  noise.record(Stream::v0, in.v0);
  noise.record(Stream::p0, in.p0);
  noise.record(Stream::alpha, {batch, 1, in.between});
  noise.record(Stream::z_generator, in.z_generator);
  noise.record(Stream::v0_generator, in.v0_generator);
  noise.record(Stream::p0_generator, in.p0_generator);
  RecordedData data(*kernels, in.x);
  Game game(*kernels, energy, generator, data, game_case.options(), &noise);
  game.steps().upload(
      std::vector<int64_t>{begin.state.energy_moments.step, begin.state.generator_moments.step});

  expect_iteration(game, play(game), begin.expected);
  EXPECT_EQ(game.iteration().download().at(0), 1u);
}

INSTANTIATE_TEST_SUITE_P(All, GameTest,
                         testing::Combine(testing::ValuesIn(game_cases()), testing::ValuesIn(devices())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
                         });

}  // namespace
}  // namespace ebm::test
