// SPDX-License-Identifier: MIT
// The steps of LOBPCG for one sample. src/linalg/lobpcg.cpp puts them in order; docs/method.md derives them.
//
// Basis {v, w, p}, orthonormal in R^d, with its image {u, Jw, Jp}, u = J v. Vectors are float32; every dot
// product, norm and small problem is float64. A sample that fails keeps its v and is flagged; selects, no
// branches that leave a loop.
#pragma once

#include "kernels/formulas/authors_direction.h"
#include "kernels/formulas/sample_status.h"
#include "kernels/formulas/small_eigen.h"
#include "kernels/formulas/vectors.h"

namespace ebm {

/// v = v0 / ||v0||, or ones / sqrt(d) where v0 is 0 or not finite;  p = p0 made orthonormal to v, or 0
/// without a p0.
struct LobpcgStart {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  const float *v0, *p0;  // rows x d; p0 may be null
  float *v, *p;          // rows x d
  double* norm_v0;       // rows; 0 where v0 was not usable
  double* trace;         // rows: the largest trace of a Rayleigh-Ritz problem so far
  int32_t *has_p, *status;
  AuthorsColumns* authors;  // rows, or null

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({v0, p0}, rows * d);
    uses.writes({v, p}, rows * d);
    uses.writes({norm_v0, trace}, rows);
    uses.writes({has_p, status}, rows);
    uses.writes(authors, rows);
  }

  EBM_HD int64_t work() const { return 4 * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float *x = v + row * d, *y = p + row * d;
    const double n = unit_start(team, d, v0 + row * d, x);
    const bool usable = n > 0 && is_finite(n);
    const float* const given = p0 != nullptr ? p0 + row * d : nullptr;
    team.each(d, [=](int64_t i) { y[i] = given != nullptr ? given[i] : 0; });
    const Split split = given != nullptr ? orthonormalize(team, d, x, nullptr, y) : Split{.kept = false};
    team.single([&] {
      norm_v0[row] = usable ? n : 0;
      trace[row] = 0;
      has_p[row] = split.kept;
      status[row] = is_finite(n) ? 0 : bad_sample;
      if (authors != nullptr) authors[row] = AuthorsColumns::at_start(usable ? n : 1, split);
    });
  }
};

/// r = g - sqrt(theta) v in place of g = J^T uh: the residual (A v - theta v) / sqrt(theta), A = J^T J.
template <class Team>
EBM_DEVICE void take_residual(const Team& team, int64_t d, double theta, const float* v, float* r) {
  const double sigma = sqrt(theta);
  team.each(d, [=](int64_t i) { r[i] = static_cast<float>(r[i] - sigma * v[i]); });
}

/// The residual by itself, for a preconditioner.
struct LobpcgResidual {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  const float* v;
  const double* theta;
  float* r;  // rows x d: g, then the residual

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(v, rows * d);
    uses.reads(theta, rows);
    uses.updates(r, rows * d);
  }

  EBM_HD int64_t work() const { return d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    take_residual(team, d, theta[row], v + row * d, r + row * d);
  }
};

/// w made orthonormal to v and p; has_w says whether anything was left of it.
struct LobpcgOrthonormalize {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  const float *v, *p;
  const double* theta;  // rows: w is g = J^T uh as yet, its residual is meant; or null
  float* w;
  int32_t *has_w, *status;
  AuthorsColumns* authors;  // rows, or null

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({v, p}, rows * d);
    uses.reads(theta, rows);
    uses.updates(w, rows * d);
    uses.writes(has_w, rows);
    uses.touches(status, rows);
    uses.touches(authors, rows);
  }

  EBM_HD int64_t work() const { return 15 * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float* x = w + row * d;
    if (theta != nullptr) take_residual(team, d, theta[row], v + row * d, x);
    const double sum = authors != nullptr ? team.sum(d, [=](int64_t i) { return x[i]; }) : 0;
    const Split split = orthonormalize(team, d, v + row * d, p + row * d, x);
    team.single([&] {
      has_w[row] = split.kept;
      if (!split.kept) status[row] |= w_masked;
      if (authors != nullptr) authors[row].set_residual(split, sum / static_cast<double>(d));
    });
  }
};

/// Rayleigh-Ritz on the basis: v and p, u and Jp become those of the next iteration, which starts from
/// uh = u / ||u||.
struct LobpcgRayleighRitz {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d, range;
  float *v, *p;          // rows x d
  const float* w;        // rows x d
  const float* u;        // rows x range
  float *u_next, *jp;    // rows x range; u_next may be u
  const float* jw;       // rows x range
  float* uh;             // rows x range, or null: there is no next iteration
  double* theta;         // rows: <u, u> of the next iteration
  double* trace;         // rows: the largest so far
  const int32_t* has_w;  // rows
  int32_t *has_p, *status;
  AuthorsColumns* authors;  // rows, or null: then p is LOBPCG's

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.updates({v, p}, rows * d);
    uses.reads(w, rows * d);
    uses.reads({u, jw}, rows * range);
    uses.writes(u_next, rows * range);
    uses.updates(jp, rows * range);
    uses.writes(uh, rows * range);
    if (uh != nullptr) uses.writes(theta, rows);
    uses.reads(has_w, rows);
    uses.updates(has_p, rows);
    uses.reads(trace, rows);
    uses.touches(trace, rows);
    uses.touches(status, rows);
    uses.touches(authors, rows);
  }

  EBM_HD int64_t work() const { return 6 * range + 6 * d; }

  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const Basis basis{v + row * d, w + row * d, p + row * d, v + row * d};
    const Basis image{u + row * range, jw + row * range, jp + row * range, u_next + row * range};

    // G = [u Jw Jp]^T [u Jw Jp]
    double g[3][3];
    gram(team, range, image, g);
    const double tr = mask(g, has_w[row] != 0, has_p[row] != 0);
    const bool finite = is_finite(tr) && is_finite(g[0][1] + g[0][2] + g[1][2]);
    if (!finite) keep_v(g);

    // c = eigenvector of the smallest eigenvalue, c0 >= 0;  q = p' in the coordinates of the basis
    Step step{};
    step.finite = finite;
    extreme_vector(eigen3(g), 1, step.c);
    const double sign = step.c[0] < 0 ? -1 : 1;
    for (double& element : step.c) element *= sign;
    const bool found =
        authors == nullptr ? lobpcg_direction(step.c, step.q) : authors[row].direction(step.c, step.q);
    step.next_p = found && finite;

    take(team, d, step, basis);
    take(team, range, step, image);
    restore(team, step.next_p, basis, image);
    const double squared = uh != nullptr ? unit_image(team, range, image.v_next, uh + row * range) : 0;

    team.single([&] {
      if (uh != nullptr) theta[row] = squared;
      has_p[row] = step.next_p;
      if (!finite) status[row] |= bad_sample;
      if (finite && tr > trace[row]) trace[row] = tr;
      if (authors != nullptr) authors[row] = AuthorsColumns::after_step();
    });
  }

 private:
  /// {v, w, p} or {u, Jw, Jp} of a sample, and where the new v or u goes.
  struct Basis {
    const float *v, *w;
    float *p, *v_next;
  };
  /// v' and p' in the coordinates of the basis. Not finite: w and p are left out.
  struct Step {
    double c[3], q[3];
    bool finite, next_p;
  };

  template <class Team>
  EBM_DEVICE static void gram(const Team& team, int64_t n, const Basis& x, double (&g)[3][3]) {
    const Sums<6> sums = team.sums(n, [=](int64_t i) {
      const double v = x.v[i], w = x.w[i], p = x.p[i];
      return Sums<6>{{v * v, v * w, w * w, v * p, w * p, p * p}};
    });
    g[0][0] = sums.of[0];
    g[1][0] = g[0][1] = sums.of[1];
    g[1][1] = sums.of[2];
    g[2][0] = g[0][2] = sums.of[3];
    g[2][1] = g[1][2] = sums.of[4];
    g[2][2] = sums.of[5];
  }

  /// A masked column must not pass for a Ritz value 0: it gets 4 tr G. Returns tr G of the other columns.
  EBM_HD static double mask(double (&g)[3][3], bool has_w, bool has_p) {
    if (!has_w) g[0][1] = g[1][0] = g[1][2] = g[2][1] = g[1][1] = 0;
    if (!has_p) g[0][2] = g[2][0] = g[1][2] = g[2][1] = g[2][2] = 0;
    const double tr = g[0][0] + g[1][1] + g[2][2];
    if (!has_w) g[1][1] = 4 * tr;
    if (!has_p) g[2][2] = 4 * tr;
    return tr;
  }

  /// The problem whose answer is c = (1, 0, 0): a sample that is not finite keeps its v.
  EBM_HD static void keep_v(double (&g)[3][3]) {
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) g[i][j] = i == j ? i : 0;
    }
  }

  /// LOBPCG's p = c1 w + c2 p, made orthonormal to v' = c on paper: with s = hypot(c1, c2),
  ///   p' = -s v + (c0 / s) (c1 w + c2 p).
  /// False if nothing was gained (s = 0): the next step is one of steepest descent.
  EBM_HD static bool lobpcg_direction(const double (&c)[3], double (&q)[3]) {
    const double s = hypot(c[1], c[2]);
    const bool next_p = s > 1e-30;
    q[0] = -s;
    q[1] = next_p ? c[0] * c[1] / s : 0;
    q[2] = next_p ? c[0] * c[2] / s : 0;
    return next_p;
  }

  /// v' = c0 v + c1 w + c2 p;  p' = q0 v + q1 w + q2 p, or 0. The same for the images.
  template <class Team>
  EBM_DEVICE static void take(const Team& team, int64_t n, const Step& step, const Basis& x) {
    team.each(n, [=](int64_t i) {
      const double v = x.v[i], w = step.finite ? x.w[i] : 0, p = step.finite ? x.p[i] : 0;
      x.v_next[i] = static_cast<float>(step.c[0] * v + step.c[1] * w + step.c[2] * p);
      x.p[i] = step.next_p ? static_cast<float>(step.q[0] * v + step.q[1] * w + step.q[2] * p) : 0;
    });
  }

  /// v' unit and p' orthonormal to it, of which float32 took a rounding; the images follow.
  template <class Team>
  EBM_DEVICE void restore(const Team& team, bool next_p, const Basis& basis, const Basis& image) const {
    float *const v_next = basis.v_next, *const p_next = basis.p;
    float *const u_next = image.v_next, *const jp_next = image.p;
    const double n = sqrt(dot(team, d, v_next, v_next));
    team.each(d, [=](int64_t i) { v_next[i] = static_cast<float>(v_next[i] / n); });
    team.each(range, [=](int64_t i) { u_next[i] = static_cast<float>(u_next[i] / n); });
    const double t = dot(team, d, v_next, p_next);
    team.each(d, [=](int64_t i) { p_next[i] = static_cast<float>(p_next[i] - t * v_next[i]); });
    const double m = next_p ? sqrt(dot(team, d, p_next, p_next)) : 1;
    team.each(d, [=](int64_t i) { p_next[i] = static_cast<float>(p_next[i] / m); });
    team.each(range, [=](int64_t i) {
      jp_next[i] = next_p ? static_cast<float>((jp_next[i] - t * u_next[i]) / m) : 0;
    });
  }
};

/// theta = <u, u> of the result, and the last bits of the status. A bad sample's theta is 1, its images are
/// 0.
struct LobpcgFinish {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, range;
  float *u, *u0;  // rows x range: J v and J v0 / ||v0||
  const double* trace;
  double *theta, *floor2;
  int32_t* status;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(u, rows * range);
    uses.touches({u, u0}, rows * range);
    uses.reads(trace, rows);
    uses.writes({theta, floor2}, rows);
    uses.reads(status, rows);
    uses.touches(status, rows);
  }

  EBM_HD int64_t work() const { return range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float *x = u + row * range, *x0 = u0 + row * range;
    const double squared = dot(team, range, x, x);
    const bool good = (status[row] & bad_sample) == 0 && is_finite(squared);
    team.each(range, [=](int64_t i) {
      if (!good) x[i] = x0[i] = 0;
    });
    team.single([&] {
      const double floor = floor_squared(squared > trace[row] ? squared : trace[row]);
      theta[row] = good ? squared : 1;
      floor2[row] = good ? floor : floor_squared(1);
      if (!good) status[row] |= bad_sample;
      if (good && !(squared > floor)) status[row] |= floor_hit;
    });
  }
};

}  // namespace ebm
