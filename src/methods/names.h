// SPDX-License-Identifier: MIT
// What users call the choices that all methods have; those of one method are beside its options.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/networks.h"
#include "train/method.h"

namespace ebm {

/// paper: the text and Table 11. code: the constants of public code, the authors' or that of the method. tuned:
/// what was found to train best here (docs/results.md); where nothing better is known, paper's.
enum class Preset { paper, code, tuned };

template <class Choice, size_t N>
using Names = std::array<std::pair<const char*, Choice>, N>;

inline constexpr Names<Preset, 3> preset_names{
    {{"paper", Preset::paper}, {"code", Preset::code}, {"tuned", Preset::tuned}}};
inline constexpr Names<Precision, 3> precision_names{
    {{"fp32", Precision::full}, {"tf32", Precision::training}, {"bf16", Precision::bfloat16}}};
/// Of the Jacobian of a bound.
inline constexpr Names<Precision, 2> jacobian_names{
    {{"fp32", Precision::full}, {"3xtf32", Precision::tf32x3}}};
inline constexpr Names<Type, 2> gradient_compression_names{
    {{"none", Type::float32}, {"bfloat16", Type::bfloat16}}};
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
inline constexpr Names<std::optional<Curve>, 3> activation_names{
    {{"usual", std::nullopt}, {"silu", Curve::silu}, {"softplus", Curve::softplus}}};
inline constexpr Names<GeneratorShape, 2> generator_names{
    {{"mlp", GeneratorShape::mlp}, {"flow", GeneratorShape::flow}}};
inline constexpr Names<EnergyNorm, 2> energy_norm_names{
    {{"none", EnergyNorm::none}, {"batch", EnergyNorm::batch}}};

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
