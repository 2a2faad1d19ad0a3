// SPDX-License-Identifier: MIT
// Vectors of one sample by a team of threads: float32 elements, float64 sums.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

template <class Team>
EBM_DEVICE double dot(const Team& team, int64_t n, const float* x, const float* y) {
  return team.sum(n, [=](int64_t i) { return static_cast<double>(x[i]) * y[i]; });
}

/// x = from / ||from||, or ones / sqrt(d) where ||from|| is 0 or not finite. Returns ||from||.
template <class Team>
EBM_DEVICE double unit_start(const Team& team, int64_t d, const float* from, float* x) {
  const double n = sqrt(dot(team, d, from, from));
  const bool usable = n > 0 && is_finite(n);
  const double one = 1 / sqrt(static_cast<double>(d));
  team.each(d, [=](int64_t i) { x[i] = static_cast<float>(usable ? from[i] / n : one); });
  return n;
}

/// What orthonormalize found: the given vector = along_v v + along_p p + length w.
struct Split {
  double along_v = 0, along_p = 0, length = 1;
  bool kept = true;  ///< false: nothing was left of it, and w = 0
};

/// w made orthogonal to v and p (null, zero, or orthonormal to v) and unit, in three passes: one for what
/// cancels, two for its rounding. The second and third start from a unit vector: if one of them still removes
/// half of it, then w lay in the span of v and p.
template <class Team>
EBM_DEVICE Split orthonormalize(const Team& team, int64_t d, const float* v, const float* p, float* w) {
  Split split;
  for (int pass = 0; pass < 3; ++pass) {
    const Sums<2> along = team.sums(d, [=](int64_t i) {
      const double x = w[i];
      return Sums<2>{{v[i] * x, p != nullptr ? p[i] * x : 0}};
    });
    const double a = along.of[0], b = along.of[1];
    team.each(d,
              [=](int64_t i) { w[i] = static_cast<float>(w[i] - a * v[i] - (p != nullptr ? b * p[i] : 0)); });
    const double n = sqrt(dot(team, d, w, w));
    const bool kept = split.kept && n > 0 && is_finite(n) && (pass == 0 || n > 0.5);
    team.each(d, [=](int64_t i) { w[i] = kept ? static_cast<float>(w[i] / n) : 0; });
    split.along_v += split.length * a;
    split.along_p += split.length * b;
    split.length *= n;
    split.kept = kept;
  }
  return split;
}

/// uh = u / ||u||, or 0. Returns <u, u>.
template <class Team>
EBM_DEVICE double unit_image(const Team& team, int64_t range, const float* u, float* uh) {
  const double squared = dot(team, range, u, u);
  const double sigma = sqrt(squared);
  const bool usable = sigma > 0 && is_finite(sigma);
  team.each(range, [=](int64_t i) { uh[i] = usable ? static_cast<float>(u[i] / sigma) : 0; });
  return squared;
}

/// theta = <u, u>;  uh = u / sqrt(theta), or 0. The adjoint of a unit vector: s1 is never squared in float32.
struct UnitImage {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, range;
  const float* u;  // rows x range
  float* uh;       // rows x range
  double* theta;   // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(u, rows * range);
    uses.writes(uh, rows * range);
    uses.writes(theta, rows);
  }

  EBM_HD int64_t work() const { return 2 * range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const double squared = unit_image(team, range, u + row * range, uh + row * range);
    team.single([&] { theta[row] = squared; });
  }
};

}  // namespace ebm
