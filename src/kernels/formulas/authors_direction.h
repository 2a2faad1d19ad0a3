// SPDX-License-Identifier: MIT
// The direction p that the authors' public code takes instead of LOBPCG's (docs/method.md, "The authors'
// direction").
//
// Each of their iterations orthonormalises S = [v, r / mean(r), p] by a singular value decomposition and
// takes p' = v' - x <x, v'>, x the first left singular vector of S. (x = v would be LOBPCG.) The new v' is
// the same in any basis of the space, so all that their rule needs beyond LOBPCG is the lengths and overlaps
// of the three columns: S in the coordinates of our orthonormal basis {v, w, p}.
#pragma once

#include "kernels/formulas/small_eigen.h"
#include "kernels/formulas/vectors.h"

namespace ebm {

/// S of one sample, in the coordinates of the basis {v, w, p}.
struct AuthorsColumns {
  double v;              ///< (v, 0, 0): their v is v0 at first, and not unit
  double r_v, r_w, r_p;  ///< r / mean(r)
  double p_v, p_p;       ///< (p_v, 0, p_p)

  /// norm: ||v0||; p0 = split by v0 / ||v0||.
  EBM_HD static AuthorsColumns at_start(double norm, const Split& p0) {
    const bool p = p0.kept;
    return {.v = norm, .r_v = 0, .r_w = 0, .r_p = 0, .p_v = p ? p0.along_v : 0, .p_p = p ? p0.length : 0};
  }

  /// r, split by v and p, and the mean of its elements.
  EBM_HD void set_residual(const Split& r, double mean) {
    // As the mean goes to 0, r / mean(r) outgrows the other columns; so does 1e30 times a unit vector.
    const double largest = 1e30 / r.length;
    const double scale = fabs(1 / mean) < largest ? 1 / mean : largest;
    r_v = r.kept ? scale * r.along_v : 0;
    r_w = r.kept ? scale * r.length : 0;
    r_p = r.kept ? scale * r.along_p : 0;
  }

  /// From the coordinates c of v': those of p' / ||p'||, which is q = (a c - x) / sqrt(1 - a^2), a = <x, c>,
  /// plus a multiple of c. False if x = +-c: nothing is left of p'.
  EBM_HD bool direction(const double (&c)[3], double (&q)[3]) const {
    const double columns[3][3] = {{v, 0, 0}, {r_v, r_w, r_p}, {p_v, 0, p_p}};
    double sst[3][3] = {};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < 3; ++k) sst[i][j] += columns[k][i] * columns[k][j];
      }
    }
    double x[3];
    extreme_vector(eigen3(sst), -1, x);
    const double a = x[0] * c[0] + x[1] * c[1] + x[2] * c[2];
    for (int i = 0; i < 3; ++i) q[i] = a * c[i] - x[i];
    const double n = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]);
    const bool found = n > 1e-30;
    for (int i = 0; i < 3; ++i) q[i] = found ? q[i] / n : 0;
    return found;
  }

  /// v is unit from the first step on. p is no longer needed: the residual of a Ritz vector is orthogonal to
  /// v and p, and r / mean(r), at least sqrt(d) long, outweighs both together, so that x = w whatever p is.
  EBM_HD static AuthorsColumns after_step() {
    return {.v = 1, .r_v = 0, .r_w = 0, .r_p = 0, .p_v = 0, .p_p = 0};
  }
};

}  // namespace ebm
