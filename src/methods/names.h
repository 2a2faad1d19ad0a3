// SPDX-License-Identifier: MIT
// What users call the choices of a method.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "methods/ebm_bb.h"
#include "models/networks.h"

namespace ebm {

/// paper: the text and Table 11. code: the constants of public code, the authors' or that of the method.
enum class Preset { paper, code };

template <class Choice, size_t N>
using Names = std::array<std::pair<const char*, Choice>, N>;

inline constexpr Names<Preset, 2> preset_names{{{"paper", Preset::paper}, {"code", Preset::code}}};
inline constexpr Names<Precision, 3> precision_names{
    {{"fp32", Precision::full}, {"tf32", Precision::training}, {"bf16", Precision::bfloat16}}};
inline constexpr Names<RateSchedule::Kind, 4> rate_schedule_names{{{"constant", RateSchedule::Kind::constant},
                                                                   {"linear", RateSchedule::Kind::linear},
                                                                   {"cosine", RateSchedule::Kind::cosine},
                                                                   {"steps", RateSchedule::Kind::steps}}};
inline constexpr Names<Initial, 4> initial_names{{{"pytorch", Initial::pytorch},
                                                  {"normal", Initial::normal},
                                                  {"orthogonal", Initial::orthogonal},
                                                  {"glorot", Initial::glorot}}};
inline constexpr Names<NetworkKind, 4> network_names{{{"toy", NetworkKind::toy},
                                                      {"mlp", NetworkKind::mlp},
                                                      {"dcgan", NetworkKind::dcgan},
                                                      {"resnet", NetworkKind::resnet}}};
inline constexpr Names<EnergyNorm, 2> energy_norm_names{
    {{"none", EnergyNorm::none}, {"batch", EnergyNorm::batch}}};

inline constexpr Names<EntropyBoundKind, 4> lower_bound_names{{{"lobpcg", EntropyBoundKind::lobpcg},
                                                               {"s1", EntropyBoundKind::s1},
                                                               {"logdet", EntropyBoundKind::logdet},
                                                               {"slq", EntropyBoundKind::slq}}};
inline constexpr Names<EnergyPenaltyKind, 4> upper_bound_names{
    {{"bidirectional", EnergyPenaltyKind::bidirectional},
     {"gp_real", EnergyPenaltyKind::gp_real},
     {"gp_fake", EnergyPenaltyKind::gp_fake},
     {"gp_interpolated", EnergyPenaltyKind::gp_interpolated}}};
inline constexpr Names<PenaltyNormaliser, 4> normaliser_names{{{"none", PenaltyNormaliser::none},
                                                               {"d", PenaltyNormaliser::d},
                                                               {"v", PenaltyNormaliser::v},
                                                               {"v2", PenaltyNormaliser::v2}}};
inline constexpr Names<EntropyPoints, 2> entropy_points_names{
    {{"energy", EntropyPoints::energy}, {"generator", EntropyPoints::generator}}};
inline constexpr Names<Direction, 2> direction_names{
    {{"orthonormal", Direction::orthonormal}, {"authors", Direction::authors}}};
inline constexpr Names<Preconditioning, 2> preconditioning_names{
    {{"none", Preconditioning::none}, {"running_gram", Preconditioning::running_gram}}};
inline constexpr Names<PairBackward, 2> pair_backward_names{
    {{"automatic", PairBackward::automatic}, {"separate", PairBackward::separate}}};

/// The name of a choice.
template <class Choice, size_t N>
std::string name_of(Choice choice, const Names<Choice, N>& names) {
  for (const auto& [name, value] : names) {
    if (value == choice) return name;
  }
  return "?";
}

/// The list of `names`, as Options takes it.
template <class Choice, size_t N>
std::vector<std::pair<std::string, Choice>> choices(const Names<Choice, N>& names) {
  return {names.begin(), names.end()};
}

}  // namespace ebm
