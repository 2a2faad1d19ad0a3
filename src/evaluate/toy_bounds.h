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
  double log_z;       ///< on the grid
  double nll;         ///< mean E(x) + log Z: L itself
  double lower;       ///< mean E(x) - mean E(G(z)) + entropy: eq. 4 with the density's own entropy (eq. 8)
  double lower_s1;    ///< the same with d log s_1 in the determinant's place: eq. 11
  double importance;  ///< mean E(x) + log mean_i exp(-E(G(z_i))) / p_g(G(z_i)), p_g = N(z; 0, I) / |det J|
  double upper;    ///< lower + weight mean |J^T grad E - a|^2 / d, a = z + grad_z 1/2 log det J^T J: eq. 15
  double entropy;  ///< H[N(0, I)] + mean 1/2 log det J^T J
  /// Of the samples, by their third nearest neighbours; NaN where they lie on a curve or coincide.
  double entropy_neighbours;
};

/// What is known of the energy without the generator.
struct ToyNormaliser {
  double log_z;        ///< on the grid
  double mean_energy;  ///< of the data
};

/// Throws Error unless z, the samples and the energy's points are of the plane.
ToyBounds toy_bounds(Kernels& kernels, Network& energy, Network& generator, const ToyNormaliser& known,
                     const ToyBoundOptions& options, const Told& told);

/// The same with log Z on the grid and `data`, points of the distribution, N x 2.
ToyBounds toy_bounds(Kernels& kernels, Network& energy, Network& generator, const std::vector<float>& data,
                     const ToyBoundOptions& options, const Told& told);

}  // namespace ebm
