// SPDX-License-Identifier: MIT
// The networks of Table 6, for data in the plane, and a flow.
#pragma once

#include <memory>
#include <optional>

#include "kernels/formulas/smooth.h"

#include "layers/spectral_norm.h"

namespace ebm {

/// Whether the energy has the extra 1 x 1 linear map `l` without bias that the authors' code puts after it.
enum class OutputScale { none, learned };

/// What the energy is of the last linear row: itself, or log(1 + exp) of it, as in the first author's fork of
/// MEG's code.
enum class EnergyOutput { linear, softplus };

/// What can be chosen of hidden layers: how many, and their activation (none: PReLU).
struct HiddenLayers {
  int64_t depth = 2;
  std::optional<Curve> curve = {};
};

/// E: Linear(2, h) PReLU, Linear(h, h) PReLU, Linear(h, 1); names main.0.weight ..., l.weight.
std::unique_ptr<Layer> toy_energy(int64_t hidden, OutputScale scale,
                                  WeightNorm weight_norm = WeightNorm::none,
                                  EnergyOutput output = EnergyOutput::linear,
                                  const HiddenLayers& layers = {});

/// G: [Linear, PReLU, BN](d, h), [Linear, PReLU, BN](h, h), Linear(h, 2); names main.0.weight ...
std::unique_ptr<Layer> toy_generator(int64_t latent, int64_t hidden, const HiddenLayers& layers = {});

/// G of z in the plane, one to one whatever its parameters: `couplings` monotone couplings of `steps` steps
/// (layers/monotone_coupling.h), whose nets are Linear(1, h) tanh Linear(h, .); names main.0.net.0.weight ...
std::unique_ptr<Layer> toy_flow(int64_t hidden, int64_t couplings, int64_t steps);

}  // namespace ebm
