// SPDX-License-Identifier: MIT
#pragma once

#include "methods/ebm_bb.h"
#include "methods/registry.h"

namespace ebm {

inline constexpr Names<EntropyBoundKind, 4> lower_bound_names{{{"lobpcg", EntropyBoundKind::lobpcg},
                                                               {"s1", EntropyBoundKind::s1},
                                                               {"logdet", EntropyBoundKind::logdet},
                                                               {"slq", EntropyBoundKind::slq}}};
inline constexpr Names<EnergyPenaltyKind, 5> upper_bound_names{
    {{"bidirectional", EnergyPenaltyKind::bidirectional},
     {"gp_real", EnergyPenaltyKind::gp_real},
     {"gp_fake", EnergyPenaltyKind::gp_fake},
     {"gp_interpolated", EnergyPenaltyKind::gp_interpolated},
     {"none", EnergyPenaltyKind::none}}};
inline constexpr Names<SampleWeighting, 2> sample_weights_names{
    {{"equal", SampleWeighting::equal}, {"importance", SampleWeighting::importance}}};
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

/// ebm_bb: singular-value entropy bound and bidirectional penalty. ebm_0gp: the same entropy bound,
/// zero-centred gradient penalty on real data. wgan_0gp: no entropy term, zero-centred penalty on
/// interpolated points.
enum class Variant { ebm_bb, ebm_0gp, wgan_0gp };

/// Preset::paper: Table 11 and the text. Preset::code: the authors' train_toy and train_image; their code has no
/// run on MNIST, where it is train_image with Table 11's optimiser.
EbmBbOptions ebm_bb_options(NetworkKind networks, Variant variant, Preset preset);

std::unique_ptr<MethodChoice> choose_ebm_bb(NetworkKind networks, Preset preset);
std::unique_ptr<MethodChoice> choose_ebm_0gp(NetworkKind networks, Preset preset);
std::unique_ptr<MethodChoice> choose_wgan_0gp(NetworkKind networks, Preset preset);

/// What a user of these methods chooses, of given options.
std::unique_ptr<MethodChoice> choice_of(const EbmBbOptions& options);

}  // namespace ebm
