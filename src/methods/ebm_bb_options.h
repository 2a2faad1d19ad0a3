// SPDX-License-Identifier: MIT
#pragma once

#include "methods/registry.h"

namespace ebm {

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
