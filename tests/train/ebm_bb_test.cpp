// SPDX-License-Identifier: MIT
// Whole iterations against the oracle's, for every kind of bound; and what EBM-BB promises besides numbers.
#include "methods/ebm_bb.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "support/devices.h"
#include "train/oracle_iteration.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 5, hidden = 7;

enum class Output { linear, tanh };

struct EbmBbCase {
  std::string name;
  int64_t d, D;
  Output output;
  std::optional<EntropyBoundOptions> lower;
  EnergyPenaltyOptions upper;
  EntropyPoints points;

  EbmBbOptions options() const {
    return {
        .training = {.batch = batch,
                     .lr_energy = 3e-3,
                     .lr_generator = 2e-3,
                     .optimiser = {.adam = {.beta1 = 0.4, .beta2 = 0.9, .epsilon = 1e-6}, .schedule = {}}},
        .lower = lower,
        .upper = upper,
        .entropy_weight = lower ? 0.6 : 0.0,
        .entropy_points = points};
  }
};
std::ostream& operator<<(std::ostream& out, const EbmBbCase& one) {
  return out << one.name;
}

std::vector<EbmBbCase> ebm_bb_cases() {
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

class EbmBbTest : public testing::TestWithParam<std::tuple<EbmBbCase, std::string>> {
 protected:
  static const OracleIteration& start(const EbmBbCase& one) {  // one play of the oracle for all devices
    static std::map<std::string, OracleIteration> known;
    if (!known.contains(one.name)) {
      reference::NetworkSpec generator = reference::table6_generator(one.d, hidden, one.D);
      if (one.output == Output::tanh) generator.push_back(reference::LayerSpec::tanh());
      known.emplace(one.name,
                    oracle_iteration(one.options(), {.energy = reference::table6_energy(one.D, hidden),
                                                     .generator = generator,
                                                     .d = one.d,
                                                     .data = flat(one.D)}));
    }
    return known.at(one.name);
  }
  static void expect_iteration_of(const OracleIteration& begin) {
    const auto& [one, device] = GetParam();
    const auto kernels = open_device(device);
    expect_oracles_iteration(
        *kernels,
        {.energy = [&] { return layers_of(begin.state.energy.layers, flat(one.D)); },
         .generator = [&] { return layers_of(begin.state.generator.layers, flat(one.d)); }},
        begin);
  }
};

TEST_P(EbmBbTest, OneIteration) {
  expect_iteration_of(start(std::get<0>(GetParam())));
}

/// --precision fp32 is true float32 in everything, where TF32 is allowed.
class TrueFloat32EbmBbTest : public EbmBbTest {};
TEST_P(TrueFloat32EbmBbTest, OneIteration) {
  OracleIteration begin = start(std::get<0>(GetParam()));
  begin.options.training.precision = Precision::full;
  expect_iteration_of(begin);
}

std::string ebm_bb_test_name(const testing::TestParamInfo<std::tuple<EbmBbCase, std::string>>& info) {
  return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
}
INSTANTIATE_TEST_SUITE_P(All, EbmBbTest,
                         testing::Combine(testing::ValuesIn(ebm_bb_cases()), testing::ValuesIn(devices())),
                         ebm_bb_test_name);
// There may be no device with TF32: on a machine without CUDA's headers there is the CPU alone.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrueFloat32EbmBbTest);
INSTANTIATE_TEST_SUITE_P(Tf32, TrueFloat32EbmBbTest,
                         testing::Combine(testing::ValuesIn(ebm_bb_cases()),
                                          testing::ValuesIn(devices_with_tf32())),
                         ebm_bb_test_name);

}  // namespace
}  // namespace ebm::test
