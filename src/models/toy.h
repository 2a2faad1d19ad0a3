// SPDX-License-Identifier: MIT
// The networks of Table 6, for data in the plane.
#pragma once

#include <memory>

#include "layers/spectral_norm.h"

namespace ebm {

/// Whether the energy has the extra 1 x 1 linear map `l` without bias that the authors' code puts after it.
enum class OutputScale { none, learned };

/// What the energy is of the last linear row: itself, or log(1 + exp) of it, as in the first author's fork of
/// MEG's code.
enum class EnergyOutput { linear, softplus };

/// E: Linear(2, h) PReLU, Linear(h, h) PReLU, Linear(h, 1); names main.0.weight ..., l.weight.
std::unique_ptr<Layer> toy_energy(int64_t hidden, OutputScale scale,
                                  WeightNorm weight_norm = WeightNorm::none,
                                  EnergyOutput output = EnergyOutput::linear);

/// G: [Linear, PReLU, BN](d, h), [Linear, PReLU, BN](h, h), Linear(h, 2); names main.0.weight ...
std::unique_ptr<Layer> toy_generator(int64_t latent, int64_t hidden);

}  // namespace ebm
