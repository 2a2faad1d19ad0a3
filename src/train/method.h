// SPDX-License-Identifier: MIT
// The methods and presets by name, and what they choose.
#pragma once

#include <array>
#include <string>
#include <utility>

#include "models/image_networks.h"
#include "train/game.h"

namespace ebm {

/// ebm_bb: singular-value entropy bound and bidirectional penalty. ebm_0gp: the same entropy bound,
/// zero-centred gradient penalty on real data. wgan_0gp: no entropy term, zero-centred penalty on
/// interpolated points.
enum class Method { ebm_bb, ebm_0gp, wgan_0gp };

/// paper: the text and Table 11. code: the constants of the authors' public code.
enum class Preset { paper, code };

template <class Choice, size_t N>
using Names = std::array<std::pair<const char*, Choice>, N>;

inline constexpr Names<Method, 3> method_names{
    {{"ebm_bb", Method::ebm_bb}, {"ebm_0gp", Method::ebm_0gp}, {"wgan_0gp", Method::wgan_0gp}}};
inline constexpr Names<Preset, 2> preset_names{{{"paper", Preset::paper}, {"code", Preset::code}}};
inline constexpr Names<LowerBoundKind, 4> lower_bound_names{{{"lobpcg", LowerBoundKind::lobpcg},
                                                             {"s1", LowerBoundKind::s1},
                                                             {"logdet", LowerBoundKind::logdet},
                                                             {"slq", LowerBoundKind::slq}}};
inline constexpr Names<UpperBoundKind, 4> upper_bound_names{
    {{"bidirectional", UpperBoundKind::bidirectional},
     {"gp_real", UpperBoundKind::gp_real},
     {"gp_fake", UpperBoundKind::gp_fake},
     {"gp_interpolated", UpperBoundKind::gp_interpolated}}};
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

inline constexpr Names<Precision, 3> precision_names{
    {{"fp32", Precision::full}, {"tf32", Precision::training}, {"bf16", Precision::bfloat16}}};
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

/// What the toy experiment (section 5.2) uses: Table 11 and the text for Preset::paper, the authors'
/// train_toy for Preset::code (which also gives E the extra map `l`: models/toy.h).
GameOptions toy_options(Method method, Preset preset);

/// What the experiments on images with these networks use: Table 11 and the text for Preset::paper, the
/// authors' train_image for Preset::code. Their code has no run on MNIST: there Preset::code is train_image
/// with Table 11's optimiser.
GameOptions image_options(ImageNetworks networks, Method method, Preset preset);

}  // namespace ebm
