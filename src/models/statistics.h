// SPDX-License-Identifier: MIT
// The statistics networks of MEG (Kumar et al. 2019): T(x, z) = head([trunk(x) | z]), a logit of whether x
// was made of z. The trunk is that of the energy, with a Linear to as many features as z has; no batch norm,
// which would couple the joint pairs to those of the product. The tables of the paper have no such network:
// these are those of the first author's code, beside the energies of the tables. With NetworkFamily::meg they
// are upstream's (models/meg.h).
#pragma once

#include "models/networks.h"

namespace ebm {

/// Names trunk.0.weight ..., head.0.weight ...; d is the latent dimension, h the width.
///   toy     trunk Linear(2, h) PReLU Linear(h, d); head Linear(2d, h) PReLU Linear(h, 1)
///   others  trunk: the rows of E before its last, Linear to d; head Linear(2d, 512) LeakyReLU(0.1)
///   Linear(512, 1)
std::unique_ptr<Layer> statistics_layers(const NetworkOptions& options);

}  // namespace ebm
