// SPDX-License-Identifier: MIT
// The sandwich of section 2 around the negative log-likelihood of a model of points in the plane, where all of it can
// be computed (docs/method.md, "Bounds in the plane"). In nats, at running statistics.
#pragma once

#include "evaluate/told.h"
#include "layers/network.h"

namespace ebm {

struct ToyBoundOptions {
  int64_t grid = 800;      ///< cells along each axis of [-4, 4]^2
  int64_t points = 20000;  ///< latent points, rounded up to whole batches
  double weight = 0.001;   ///< M d / s_1^2 of the upper bound: Table 11's
  uint64_t seed = 1;       ///< of the latent points
};

struct ToyBounds {
  double log_z;     ///< on the grid
  double nll;       ///< mean E(x) + log Z: L itself
  double lower;     ///< mean E(x) - mean E(G(z)) + entropy: eq. 4 with the density's own entropy (eq. 8)
  double lower_s1;  ///< the same with d log s_1 in the determinant's place: eq. 11
  double upper;     ///< lower + weight mean |J^T grad E - z|^2 / d: eq. 15; NaN unless G is piecewise linear
  double entropy;   ///< H[N(0, I)] + mean 1/2 log det J^T J
  double entropy_neighbours;  ///< of the samples, by their third nearest neighbours
};

/// `data` are points of the distribution, N x 2. Throws Error unless z, the samples and the energy's points are of the
/// plane, and where samples lie on a curve or coincide.
ToyBounds toy_bounds(Kernels& kernels, Network& energy, Network& generator, const std::vector<float>& data,
                     const ToyBoundOptions& options, const Told& told);

}  // namespace ebm
