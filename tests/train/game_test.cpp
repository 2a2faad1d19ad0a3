// SPDX-License-Identifier: MIT
// Whole iterations against the oracle's, for every kind of bound; and what the game promises besides numbers.
#include "methods/ebm_bb.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "support/devices.h"
#include "train/oracle_game.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 5, hidden = 7;

enum class Output { linear, tanh };

struct GameCase {
  std::string name;
  int64_t d, D;
  Output output;
  std::optional<EntropyBoundOptions> lower;
  EnergyPenaltyOptions upper;
  EntropyPoints points;

  EbmBbOptions options() const {
    return {.training = {.batch = batch,
                         .lr_energy = 3e-3,
                         .lr_generator = 2e-3,
                         .optimiser = {.adam = {.beta1 = 0.4, .beta2 = 0.9, .epsilon = 1e-6}}},
            .lower = lower,
            .upper = upper,
            .entropy_weight = lower ? 0.6 : 0.0,
            .entropy_points = points};
  }
};
std::ostream& operator<<(std::ostream& out, const GameCase& game) {
  return out << game.name;
}

std::vector<GameCase> game_cases() {
  using enum EntropyBoundKind;
  using enum EnergyPenaltyKind;
  const EnergyPenaltyOptions penalty{.kind = bidirectional, .weight = 2, .hinge = 0.1};
  const auto normalised = [&](PenaltyNormaliser normaliser) {
    EnergyPenaltyOptions options = penalty;
    options.normaliser = normaliser;
    return options;
  };
  const auto gradient_penalty = [](EnergyPenaltyKind kind) {
    return EnergyPenaltyOptions{
        .kind = kind, .weight = 3, .normaliser = PenaltyNormaliser::none, .hinge = 0.1};
  };
  constexpr auto energy = EntropyPoints::energy, generator = EntropyPoints::generator;
  return {
      {"Lobpcg", 4, 5, Output::tanh, EntropyBoundOptions{.kind = lobpcg}, penalty, generator},
      {"LobpcgAtEnergyPoints", 4, 5, Output::tanh, EntropyBoundOptions{.kind = lobpcg},
       normalised(PenaltyNormaliser::none), energy},
      {"LobpcgAuthors", 4, 5, Output::tanh,
       EntropyBoundOptions{.kind = lobpcg, .direction = Direction::authors}, penalty, generator},
      {"ExactInThePlane", 2, 2, Output::linear, EntropyBoundOptions{.kind = lobpcg}, penalty, generator},
      {"ExactAtEnergyPoints", 3, 4, Output::linear, EntropyBoundOptions{.kind = s1}, penalty, energy},
      {"LogDet", 3, 4, Output::tanh, EntropyBoundOptions{.kind = logdet}, normalised(PenaltyNormaliser::v2),
       generator},
      {"SlqAtEnergyPoints", 4, 5, Output::tanh, EntropyBoundOptions{.kind = slq, .lanczos_pairs = 2},
       normalised(PenaltyNormaliser::v), energy},
      {"GradientReal", 3, 4, Output::linear, EntropyBoundOptions{.kind = s1}, gradient_penalty(gp_real),
       generator},
      {"GradientFake", 3, 4, Output::tanh, EntropyBoundOptions{.kind = lobpcg, .lobpcg_iterations = 1},
       gradient_penalty(gp_fake), energy},
      {"GradientInterpolated", 3, 4, Output::linear, std::nullopt, gradient_penalty(gp_interpolated),
       generator},
  };
}

class GameTest : public testing::TestWithParam<std::tuple<GameCase, std::string>> {
 protected:
  static const OracleGame& start(const GameCase& game) {  // one play of the oracle for all devices
    static std::map<std::string, OracleGame> known;
    if (!known.contains(game.name)) {
      reference::NetworkSpec generator = reference::table6_generator(game.d, hidden, game.D);
      if (game.output == Output::tanh) generator.push_back(reference::LayerSpec::tanh());
      known.emplace(game.name,
                    oracle_game(game.options(), {.energy = reference::table6_energy(game.D, hidden),
                                                 .generator = generator,
                                                 .d = game.d,
                                                 .data = flat(game.D)}));
    }
    return known.at(game.name);
  }
  static void expect_iteration_of(const OracleGame& begin) {
    const auto& [game_case, device] = GetParam();
    const auto kernels = open_device(device);
    expect_oracles_iteration(
        *kernels,
        {.energy = [&] { return layers_of(begin.state.energy.layers, flat(game_case.D)); },
         .generator = [&] { return layers_of(begin.state.generator.layers, flat(game_case.d)); }},
        begin);
  }
};

TEST_P(GameTest, OneIteration) {
  expect_iteration_of(start(std::get<0>(GetParam())));
}

/// --precision fp32 is true float32 in everything, where TF32 is allowed.
class TrueFloat32GameTest : public GameTest {};
TEST_P(TrueFloat32GameTest, OneIteration) {
  OracleGame begin = start(std::get<0>(GetParam()));
  begin.options.training.precision = Precision::full;
  expect_iteration_of(begin);
}

std::string game_test_name(const testing::TestParamInfo<std::tuple<GameCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}
INSTANTIATE_TEST_SUITE_P(All, GameTest,
                         testing::Combine(testing::ValuesIn(game_cases()), testing::ValuesIn(devices())),
                         game_test_name);
INSTANTIATE_TEST_SUITE_P(Tf32, TrueFloat32GameTest,
                         testing::Combine(testing::ValuesIn(game_cases()),
                                          testing::ValuesIn(devices_with_tf32())),
                         game_test_name);

}  // namespace
}  // namespace ebm::test
