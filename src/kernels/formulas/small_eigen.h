// SPDX-License-Identifier: MIT
// Small symmetric eigenproblems in float64, by rotations alone: repeated eigenvalues, zero matrices and
// masked columns need no case of their own (closed forms fail on all three). Plain functions, for formulas
// and tests.
//
//   eigen3                 3 x 3 in registers: cyclic Jacobi, five sweeps (three or four are needed)
//   jacobi_eigen           n x n in memory, a team together: n/2 disjoint rotations at a time
//   tridiagonal_quadrature nodes and weights of a Lanczos matrix: implicit QL that carries the first row of
//                          the eigenvectors
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

/// The rotation (x, y) -> (c x - s y, s x + c y) that makes [pp pq; pq qq] diagonal: t = tan of the angle,
/// |t| <= 1.
struct Rotation {
  double c, s;
};
EBM_HD inline Rotation jacobi_rotation(double pp, double qq, double pq) {
  if (pq == 0) return {1, 0};
  const double zeta = (qq - pp) / (2 * pq);
  const double t = (zeta >= 0 ? 1 : -1) / (fabs(zeta) + sqrt(1 + zeta * zeta));  // 0 where zeta overflows
  const double c = 1 / sqrt(1 + t * t);
  return {c, c * t};
}
EBM_HD inline void rotate(const Rotation& r, double& x, double& y) {
  const double old = x;
  x = r.c * old - r.s * y;
  y = r.s * old + r.c * y;
}

/// g = sum_k value[k] vector_k vector_k^T, vector_k[i] = vector[i][k]; in no order.
struct Eigen3 {
  double value[3];
  double vector[3][3];
};

template <int P, int Q>
EBM_HD inline void rotate3(double (&g)[3][3], double (&v)[3][3]) {
  constexpr int K = 3 - P - Q;
  const Rotation r = jacobi_rotation(g[P][P], g[Q][Q], g[P][Q]);
  const double pp = g[P][P], qq = g[Q][Q], pq = g[P][Q];
  g[P][P] = r.c * r.c * pp - 2 * r.c * r.s * pq + r.s * r.s * qq;
  g[Q][Q] = r.s * r.s * pp + 2 * r.c * r.s * pq + r.c * r.c * qq;
  g[P][Q] = g[Q][P] = 0;
  rotate(r, g[K][P], g[K][Q]);
  g[P][K] = g[K][P];
  g[Q][K] = g[K][Q];
  for (int i = 0; i < 3; ++i) rotate(r, v[i][P], v[i][Q]);
}

EBM_HD inline Eigen3 eigen3(const double (&matrix)[3][3]) {
  double g[3][3];
  Eigen3 e;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      g[i][j] = matrix[i][j];
      e.vector[i][j] = i == j ? 1 : 0;
    }
  }
  for (int sweep = 0; sweep < 5; ++sweep) {
    rotate3<0, 1>(g, e.vector);
    rotate3<0, 2>(g, e.vector);
    rotate3<1, 2>(g, e.vector);
  }
  for (int i = 0; i < 3; ++i) e.value[i] = g[i][i];
  return e;
}

/// The unit eigenvector `c` of the smallest (sign = 1) or largest (sign = -1) eigenvalue; the first of equal
/// ones.
EBM_HD inline void extreme_vector(const Eigen3& e, double sign, double (&c)[3]) {
  const bool one = sign * e.value[1] < sign * e.value[0];
  const bool two = sign * e.value[2] < sign * (one ? e.value[1] : e.value[0]);
  for (int i = 0; i < 3; ++i) c[i] = two ? e.vector[i][2] : one ? e.vector[i][1] : e.vector[i][0];
}

/// Most sweeps of jacobi_eigen: n = 6, 12, 24 were measured to need at most 7, 9, 13, and 128 about as many.
inline constexpr int jacobi_sweeps = 24;

/// The symmetric n x n matrix a (row-major) becomes diagonal: a[i][i] = eigenvalue i, row i of v = its
/// eigenvector; in no order. `rotations`: n + 1 elements of workspace. A round of the tournament rotates
/// disjoint pairs, so their order does not matter. Stops when nothing is left to rotate: the whole team
/// agrees on that.
template <class Team>
EBM_DEVICE void jacobi_eigen(const Team& team, int64_t n, double* a, double* v, Rotation* rotations) {
  team.each(n * n, [=](int64_t i) { v[i] = i / n == i % n ? 1 : 0; });
  const double size = team.sum(n, [=](int64_t i) { return fabs(a[i * n + i]); });
  const int64_t players = n + n % 2;  // player n, where there is one, sits out
  const int64_t pairs = players / 2;
  for (int sweep = 0; sweep < jacobi_sweeps; ++sweep) {
    const double left = team.sum(n * n, [=](int64_t i) {
      const int64_t p = i / n, q = i % n;
      const double pq = fabs(a[i]);
      return p < q && pq > 1e-20 * size && pq > 1e-17 * sqrt(fabs(a[p * n + p] * a[q * n + q])) ? 1.0 : 0.0;
    });
    if (left == 0) break;
    for (int64_t round = 0; round + 1 < players; ++round) {
      const auto first = [=](int64_t k) {
        const int64_t p = round + k < players - 1 ? round + k : round + k - (players - 1);
        return k == 0 ? players - 1 : p;
      };
      const auto second = [=](int64_t k) { return round >= k ? round - k : round - k + players - 1; };
      const int64_t sits_out = n == players ? -1 : 0;  // the pair of player n
      team.each(pairs, [=](int64_t k) {
        const int64_t p = first(k), q = second(k);
        rotations[k] =
            k != sits_out ? jacobi_rotation(a[p * n + p], a[q * n + q], a[p * n + q]) : Rotation{1, 0};
      });
      team.each(n, [=](int64_t i) {
        for (int64_t k = sits_out + 1; k < pairs; ++k)
          rotate(rotations[k], a[i * n + first(k)], a[i * n + second(k)]);
      });
      team.each(n, [=](int64_t i) {
        for (int64_t k = sits_out + 1; k < pairs; ++k) {
          const int64_t p = first(k) * n + i, q = second(k) * n + i;
          rotate(rotations[k], a[p], a[q]);
          rotate(rotations[k], v[p], v[q]);
        }
      });
      team.each(pairs, [=](int64_t k) {
        const int64_t p = first(k), q = second(k);
        if (k != sits_out) a[p * n + q] = a[q * n + p] = 0;
      });
    }
  }
}

/// For the symmetric tridiagonal matrix with `diagonal` (n) and `off` (n; off[i] couples i and i + 1, the
/// last is ignored): diagonal becomes the eigenvalues (the nodes, in no order), weight (n) the squares of the
/// eigenvectors' first components. `off` is destroyed.
EBM_HD inline void tridiagonal_quadrature(int n, double* diagonal, double* off, double* weight) {
  for (int i = 0; i < n; ++i) weight[i] = i == 0 ? 1 : 0;  // the first row of the identity, rotated along
  off[n - 1] = 0;
  for (int l = 0; l < n; ++l) {
    for (int iteration = 0; iteration < 60; ++iteration) {
      int m = l;  // the block l .. m has no zero inside
      while (m + 1 < n && !(fabs(off[m]) <= 1e-17 * (fabs(diagonal[m]) + fabs(diagonal[m + 1])))) ++m;
      if (m == l) break;
      // Wilkinson's shift from the block's head, then chase the bulge from its foot up.
      double g = (diagonal[l + 1] - diagonal[l]) / (2 * off[l]);
      double r = hypot(g, 1.0);
      g = diagonal[m] - diagonal[l] + off[l] / (g + (g >= 0 ? r : -r));
      double s = 1, c = 1, shift = 0;
      int i = m - 1;
      for (; i >= l; --i) {
        const double f = s * off[i], b = c * off[i];
        r = hypot(f, g);
        off[i + 1] = r;
        if (r == 0) {  // the block has split
          diagonal[i + 1] -= shift;
          break;
        }
        s = f / r;
        c = g / r;
        g = diagonal[i + 1] - shift;
        r = (diagonal[i] - g) * s + 2 * c * b;
        shift = s * r;
        diagonal[i + 1] = g + shift;
        g = c * r - b;
        const double w = weight[i + 1];
        weight[i + 1] = s * weight[i] + c * w;
        weight[i] = c * weight[i] - s * w;
      }
      if (i < l) {
        diagonal[l] -= shift;
        off[l] = g;
      }
      off[m] = 0;
    }
  }
  for (int i = 0; i < n; ++i) weight[i] *= weight[i];
}

}  // namespace ebm
