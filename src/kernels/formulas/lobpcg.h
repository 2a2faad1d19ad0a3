// SPDX-License-Identifier: MIT
// The steps of LOBPCG for one sample. src/linalg/lobpcg.cpp puts them in order; docs/method.md derives them.
//
// Basis {v, w, p}, orthonormal in R^d, with its image {u, Jw, Jp}, u = J v. Vectors are float32; every dot
// product, norm and small problem is float64. A sample that fails keeps its v and is flagged; selects, no
// branches that leave a loop.
#pragma once

#include "kernels/formulas/sample_status.h"
#include "kernels/formulas/small_eigen.h"

namespace ebm {

template <class Team>
EBM_DEVICE double dot(const Team& team, int64_t n, const float* x, const float* y) {
  return team.sum(n, [=](int64_t i) { return static_cast<double>(x[i]) * y[i]; });
}

/// What orthonormalize found: the given vector = along_v v + along_p p + length w.
struct Split {
  double along_v = 0, along_p = 0, length = 1;
  bool kept = true;  ///< false: nothing was left of it, and w = 0
};

/// w made orthogonal to v and p (null or orthonormal to v; zero is allowed), and unit. If a later pass still
/// removes half of w, then w lay in the span of v and p.
template <class Team>
EBM_DEVICE Split orthonormalize(const Team& team, int64_t d, const float* v, const float* p, float* w) {
  Split split;
  for (int pass = 0; pass < 3; ++pass) {
    const double a = dot(team, d, v, w);
    const double b = p != nullptr ? dot(team, d, p, w) : 0;
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

/// The authors' direction alone needs to know these vectors in the coordinates of the basis, with their
/// lengths.
struct AuthorsCoordinates {
  double v;              ///< v (random and not unit at first) = v * unit v
  double p_v, p_p;       ///< p = p_v v + p_p p
  double r_v, r_w, r_p;  ///< r / mean(r) = r_v v + r_w w + r_p p
};

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
  AuthorsCoordinates* authors;  // rows, or null

  EBM_HD int64_t work() const { return 4 * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const float* from = v0 + row * d;
    float *x = v + row * d, *y = p + row * d;
    const double n = sqrt(dot(team, d, from, from));
    const bool usable = n > 0 && is_finite(n);
    const double one = 1 / sqrt(static_cast<double>(d));
    team.each(d, [=](int64_t i) { x[i] = static_cast<float>(usable ? from[i] / n : one); });
    Split split{.length = 0, .kept = false};
    if (p0 != nullptr) {
      const float* given = p0 + row * d;
      team.each(d, [=](int64_t i) { y[i] = given[i]; });
      split = orthonormalize(team, d, x, static_cast<const float*>(nullptr), y);
    } else {
      team.each(d, [=](int64_t i) { y[i] = 0; });
    }
    team.single([&] {
      norm_v0[row] = usable ? n : 0;
      trace[row] = 0;
      has_p[row] = split.kept;
      status[row] = is_finite(n) ? 0 : bad_sample;
      if (authors != nullptr) {
        const bool kept = split.kept;
        authors[row] = {usable ? n : 1, kept ? split.along_v : 0, kept ? split.length : 0, 0, 0, 0};
      }
    });
  }
};

/// theta = <u, u>;  uh = u / sqrt(theta), or 0. The adjoint of a unit vector: s1 is never squared in float32.
struct UnitImage {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, range;
  const float* u;  // rows x range
  float* uh;       // rows x range
  double* theta;   // rows

  EBM_HD int64_t work() const { return 2 * range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const float* x = u + row * range;
    float* y = uh + row * range;
    const double squared = dot(team, range, x, x);
    const double sigma = sqrt(squared);
    const bool usable = sigma > 0 && is_finite(sigma);
    team.each(range, [=](int64_t i) { y[i] = usable ? static_cast<float>(x[i] / sigma) : 0; });
    team.single([&] { theta[row] = squared; });
  }
};

/// w = g - sqrt(theta) v with g = J^T uh in w: the residual (A v - theta v) / sqrt(theta), A = J^T J.
struct LobpcgResidual {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  const float* v;
  const double* theta;
  float* w;

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    w[i] = static_cast<float>(w[i] - sqrt(theta[row]) * v[i]);
  }
};

/// w made orthonormal to v and p; has_w says whether anything was left of it.
struct LobpcgOrthonormalize {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  const float *v, *p;
  float* w;
  int32_t *has_w, *status;
  AuthorsCoordinates* authors;  // rows, or null

  EBM_HD int64_t work() const { return 15 * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float* x = w + row * d;
    double mean = 0;
    if (authors != nullptr) mean = team.sum(d, [=](int64_t i) { return x[i]; }) / static_cast<double>(d);
    const Split split = orthonormalize(team, d, v + row * d, p + row * d, x);
    team.single([&] {
      has_w[row] = split.kept;
      if (!split.kept) status[row] |= w_masked;
      if (authors != nullptr) {
        // As mean(r) goes to 0, the authors' r / mean(r) outgrows everything else; so does 1e30 times a unit
        // vector.
        const double largest = 1e30 / split.length;
        const double scale = fabs(1 / mean) < largest ? 1 / mean : largest;
        AuthorsCoordinates& c = authors[row];
        c.r_v = split.kept ? scale * split.along_v : 0;
        c.r_p = split.kept ? scale * split.along_p : 0;
        c.r_w = split.kept ? scale * split.length : 0;
      }
    });
  }
};

/// Rayleigh-Ritz on the basis: v and p, u and Jp become those of the next iteration.
struct LobpcgRayleighRitz {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d, range;
  float *v, *p;          // rows x d
  const float* w;        // rows x d
  const float* u_in;     // rows x range; may be u_out
  float *u_out, *jp;     // rows x range
  const float* jw;       // rows x range
  double* trace;         // rows: the largest so far
  const int32_t* has_w;  // rows
  int32_t *has_p, *status;
  AuthorsCoordinates* authors;  // rows, or null: then p is LOBPCG's

  EBM_HD int64_t work() const { return 6 * range + 6 * d; }

  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float *x = v + row * d, *y = p + row * d, *jy = jp + row * range, *jx = u_out + row * range;
    const float *ww = w + row * d, *ju = u_in + row * range, *jww = jw + row * range;

    // G = [u Jw Jp]^T [u Jw Jp]
    double g[3][3];
    g[0][0] = dot(team, range, ju, ju);
    g[1][0] = g[0][1] = dot(team, range, ju, jww);
    g[1][1] = dot(team, range, jww, jww);
    g[2][0] = g[0][2] = dot(team, range, ju, jy);
    g[2][1] = g[1][2] = dot(team, range, jww, jy);
    g[2][2] = dot(team, range, jy, jy);
    mask(g, has_w[row] == 0, has_p[row] == 0);
    const double tr = g[0][0] + (has_w[row] != 0 ? g[1][1] : 0) + (has_p[row] != 0 ? g[2][2] : 0);
    const bool finite = is_finite(tr) && is_finite(g[0][1] + g[0][2] + g[1][2]);
    if (!finite) reset(g);

    // c = eigenvector of the smallest eigenvalue; q = the next p, both in the coordinates of the basis
    double c[3], q[3], overlap = 1;
    extreme_vector(eigen3(g), 1, c);
    const double sign = c[0] < 0 ? -1 : 1;
    for (int i = 0; i < 3; ++i) c[i] *= sign;
    const bool found =
        authors == nullptr ? lobpcg_direction(c, q) : authors_direction(authors[row], c, q, overlap);
    const bool next_p = found && finite;

    team.each(d, [=](int64_t i) {
      const double a = x[i], b = finite ? ww[i] : 0, e = finite ? y[i] : 0;
      x[i] = static_cast<float>(c[0] * a + c[1] * b + c[2] * e);
      y[i] = next_p ? static_cast<float>(q[0] * a + q[1] * b + q[2] * e) : 0;
    });
    team.each(range, [=](int64_t i) {
      const double a = ju[i], b = finite ? jww[i] : 0, e = finite ? jy[i] : 0;
      jx[i] = static_cast<float>(c[0] * a + c[1] * b + c[2] * e);
      jy[i] = next_p ? static_cast<float>(q[0] * a + q[1] * b + q[2] * e) : 0;
    });

    // float32 has moved them by a rounding: v' unit, p' orthonormal to it
    const double n = sqrt(dot(team, d, x, x));
    team.each(d, [=](int64_t i) { x[i] = static_cast<float>(x[i] / n); });
    team.each(range, [=](int64_t i) { jx[i] = static_cast<float>(jx[i] / n); });
    const double t = dot(team, d, x, y);
    team.each(d, [=](int64_t i) { y[i] = static_cast<float>(y[i] - t * x[i]); });
    const double m = next_p ? sqrt(dot(team, d, y, y)) : 1;
    team.each(d, [=](int64_t i) { y[i] = static_cast<float>(y[i] / m); });
    team.each(range, [=](int64_t i) { jy[i] = next_p ? static_cast<float>((jy[i] - t * jx[i]) / m) : 0; });

    team.single([&] {
      has_p[row] = next_p;
      if (!finite) status[row] |= bad_sample;
      if (finite && tr > trace[row]) trace[row] = tr;
      if (authors != nullptr) {
        const double rest = next_p ? 1 - overlap * overlap : 0;  // p = v' - x <x, v'>, seen in {v', q}
        authors[row] = {1, rest, overlap * sqrt(rest > 0 ? rest : 0), 0, 0, 0};
      }
    });
  }

 private:
  /// A masked column must not pass for a Ritz value 0.
  EBM_HD static void mask(double (&g)[3][3], bool no_w, bool no_p) {
    if (no_w) g[0][1] = g[1][0] = g[1][2] = g[2][1] = g[1][1] = 0;
    if (no_p) g[0][2] = g[2][0] = g[1][2] = g[2][1] = g[2][2] = 0;
    const double tr = g[0][0] + g[1][1] + g[2][2];
    if (no_w) g[1][1] = 4 * tr;
    if (no_p) g[2][2] = 4 * tr;
  }
  /// The problem whose answer is "keep v".
  EBM_HD static void reset(double (&g)[3][3]) {
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) g[i][j] = i == j ? i : 0;
    }
  }

  /// LOBPCG's p = c1 w + c2 p, made orthonormal to v' = c on paper: (-sg, c0 c1 / sg, c0 c2 / sg). False if
  /// nothing was gained.
  EBM_HD static bool lobpcg_direction(const double (&c)[3], double (&q)[3]) {
    const double sg = hypot(c[1], c[2]);
    const bool next_p = sg > 1e-30;
    q[0] = -sg;
    q[1] = next_p ? c[0] * c[1] / sg : 0;
    q[2] = next_p ? c[0] * c[2] / sg : 0;
    return next_p;
  }

  /// The authors' p = v' - x <x, v'>, x the first left singular vector of S = [v, r / mean(r), p]. With a =
  /// <x, c> its part orthogonal to v' is a sqrt(1 - a^2) times the unit vector q = (a c - x) / sqrt(1 - a^2).
  /// (x = v would be LOBPCG.)
  EBM_HD static bool authors_direction(const AuthorsCoordinates& s, const double (&c)[3], double (&q)[3],
                                       double& a) {
    const double columns[3][3] = {{s.v, 0, 0}, {s.r_v, s.r_w, s.r_p}, {s.p_v, 0, s.p_p}};
    double sst[3][3] = {};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < 3; ++k) sst[i][j] += columns[k][i] * columns[k][j];
      }
    }
    double x[3];
    extreme_vector(eigen3(sst), -1, x);
    a = x[0] * c[0] + x[1] * c[1] + x[2] * c[2];
    for (int i = 0; i < 3; ++i) q[i] = a * c[i] - x[i];
    const double n = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]);
    const bool next_p = n > 1e-30;
    for (int i = 0; i < 3; ++i) q[i] = next_p ? q[i] / n : 0;
    return next_p;
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
