// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/kernels.h"
#include "linalg/linear_operator.h"
#include "linalg/results.h"

namespace ebm {

class Preconditioner;

/// How the third basis vector p is chosen.
enum class Direction {
  orthonormal,  ///< LOBPCG's, made orthonormal to the new v in closed form
  authors,      ///< the public code's (kernels/formulas/authors_direction.h)
};

struct LobpcgOptions {
  int iterations = 2;  ///< K
  Direction direction = Direction::orthonormal;
  const Preconditioner* preconditioner = nullptr;  ///< T ~ M^-1; null: T = I. Not with Direction::authors.
};

/// The smallest singular value of each J of a batch and its right singular vector, by K iterations of LOBPCG
/// on J^T J with one vector (docs/method.md, "LOBPCG"; Knyazev 2001, doi:10.1137/S1064827500366124).
///
/// Passes: 1 JVP, then 1 VJP + 1 JVP an iteration; one JVP more when p0 is given. Images of v and p are never
/// computed anew: they are orthogonal combinations of images already known. That holds for Direction::authors
/// too (it is their method, up to rounding, at 1 VJP + 1 JVP an iteration instead of 1 + 4), except that a
/// sample whose residual is zero or not finite stays where it is and is flagged, where the public code
/// replaces the whole batch by noise.
class Lobpcg {
 public:
  /// For B samples of J: R^d -> R^D. Throws Error on options that contradict each other.
  Lobpcg(Kernels& kernels, int64_t B, int64_t d, int64_t D, const LobpcgOptions& options = {});

  /// Starts at v0 (B x d, any length; p0 likewise, or empty). Allocates nothing and waits for nothing.
  /// Throws Error on wrong shapes, or if Direction::authors gets no p0.
  void run(LinearOperator& j, ConstView v0, ConstView p0 = {}) {
    start(j, v0, p0);
    finish(j);
  }
  /// The two parts of run: J v0, of which result() then holds jv0_unit, norm_v0 and its theta; and the rest.
  void start(LinearOperator& j, ConstView v0, ConstView p0 = {});
  void finish(LinearOperator& j);

  SmallestSingular result() const;

 private:
  void check(const LinearOperator& j, ConstView v0, ConstView p0) const;
  void search(LinearOperator& j);
  void rayleigh_ritz(const float* u, float* u_next, float* uh);

  Kernels& kernels_;
  int64_t batch_, d_, range_;
  LobpcgOptions options_;
  Tensor v_, w_, p_, r_;          // B x d
  Tensor uh_, u_, u0_, jw_, jp_;  // B x D; u0 is J v of the first pass, u of the later ones
  Buffer<double> theta_, trace_, floor2_, norm_v0_;
  Buffer<int32_t> has_w_, has_p_, status_;
  Buffer<AuthorsColumns> authors_;
};

}  // namespace ebm
