// SPDX-License-Identifier: MIT
#pragma once

#include "methods/gan.h"
#include "methods/registry.h"

namespace ebm {

/// Preset::paper: the networks of the paper's tables with the constants of public code, on points and MLPs
/// those of Table 11. Preset::code: public code's constants, and its networks where it has some.
///   dcgan  StudioGAN, CIFAR10/DCGAN.yaml
///   sngan  sngan_projection, sn_cifar10_unconditional.yml
GanOptions dcgan_options(NetworkKind networks, Preset preset);
GanOptions sngan_options(NetworkKind networks, Preset preset);

std::unique_ptr<MethodChoice> choose_dcgan(NetworkKind networks, Preset preset);
std::unique_ptr<MethodChoice> choose_sngan(NetworkKind networks, Preset preset);

}  // namespace ebm
