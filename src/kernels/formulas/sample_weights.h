// SPDX-License-Identifier: MIT
// log Z = log integral exp(-E) by importance sampling: for points x_i ~ q,
//   log Z^ = log mean_i w_i,   w_i = exp(-E(x_i)) / q(x_i),
// whose mean is below log Z (Jensen), the less the more points and the nearer q is to p. Its gradient is
// -sum_i w_i / sum_j w_j grad E(x_i). Points of a generator with d = D, x = G(z), have
//   log q(x) = log q(z) - log |det J(z)|,  if G is one to one,
// where some of the z may be drawn wider than N(0, I) (defensive importance sampling: Hesterberg 1995), so that the
// energy is also seen where G seldom goes: q(z) = (1 - share) N(z; 0, I) + share N(z; 0, scale^2 I).
#pragma once

#include "kernels/formulas/importance.h"
#include "kernels/formulas/rank_rows.h"

namespace ebm {

/// The wider z: their share of a batch, and how many times as wide they are.
struct WideLatents {
  double share = 0, scale = 1;

  EBM_HD int64_t rows(int64_t batch) const {
    return static_cast<int64_t>(share * static_cast<double>(batch) + 0.5);
  }
  /// Among a rank's rows of a batch, whose first rows are the wider ones.
  WideLatents of_rank(const RankRows& own) const {
    const int64_t left = rows(own.of_step()) - own.rank * own.rows;
    const int64_t wide = left < 0 ? 0 : (left < own.rows ? left : own.rows);
    return {.share = static_cast<double>(wide) / static_cast<double>(own.rows), .scale = scale};
  }
};

/// out = z, the first rows scale times it.
struct WidenLatents {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  WideLatents wide;
  const float* z;  // rows x columns
  float* out;      // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(z, rows * columns);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    out[i] = row < wide.rows(rows) ? static_cast<float>(wide.scale * z[i]) : z[i];
  }
};

/// log q(x_i) = log q(z_i) - log_det_i, of rows of which wide.rows(rows) were widened.
struct LogSampleDensity {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;
  int64_t domain;  // d
  WideLatents wide = {};
  const float* z;        // rows x d
  const float* log_det;  // rows: log |det J|
  double* log_q;         // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(z, rows * domain);
    uses.reads(log_det, rows);
    uses.writes(log_q, rows);
  }

  EBM_HD int64_t work() const { return domain; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const float* const own = z + row * domain;
    const double squared = team.sum(domain, [=](int64_t i) { return static_cast<double>(own[i]) * own[i]; });
    team.single([&] {
      const double d = static_cast<double>(domain);
      const double share = static_cast<double>(wide.rows(rows)) / static_cast<double>(rows);
      const double usual = -(squared + d * log_two_pi) / 2;
      const double widened =
          -(squared / (wide.scale * wide.scale) + d * log_two_pi) / 2 - d * log(wide.scale);
      const double top = usual > widened ? usual : widened;
      const double log_q_z =
          share > 0 ? top + log((1 - share) * exp(usual - top) + share * exp(widened - top)) : usual;
      log_q[row] = log_q_z - log_det[row];
    });
  }
};

/// log Z^, and cotangents of the energies in  mean of the first data_rows energies + log Z^:
///   cotangent_i = [i < data_rows] / data_rows - w_i / sum w.
/// effective = (sum w)^2 / sum w^2, how many points stand behind log Z^. A point with good = 0 is left out; a NaN
/// among the others makes all NaN.
struct SampleWeights {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t points;
  int64_t data_rows = 0;
  const float* energy;  // points
  const double* log_q;  // points
  const float* good;    // points; null: all
  float* cotangent;     // points
  float *log_z, *effective;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({energy, good}, points);
    uses.reads(log_q, points);
    uses.writes(cotangent, points);
    uses.writes({log_z, effective}, 1);
  }

  EBM_HD bool counts(int64_t i) const { return good == nullptr || good[i] != 0; }
  EBM_HD double log_weight(int64_t i) const { return -static_cast<double>(energy[i]) - log_q[i]; }

  EBM_HD int64_t work() const { return points; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    double largest = -1e300;
    for (int64_t i = 0; i < points; ++i)
      if (counts(i) && !(log_weight(i) <= largest)) largest = log_weight(i);
    const Sums<3> sums = team.sums(points, [&](int64_t i) {
      if (!counts(i)) return Sums<3>{{0, 0, 0}};
      const double w = exp(log_weight(i) - largest);
      return Sums<3>{{w, w * w, 1}};
    });
    const double sum = sums.of[0], squares = sums.of[1], counted = sums.of[2];
    team.each(points, [&](int64_t i) {
      const double w = counts(i) ? exp(log_weight(i) - largest) / sum : 0;
      cotangent[i] = static_cast<float>((i < data_rows ? 1 / static_cast<double>(data_rows) : 0) - w);
    });
    team.single([&] {
      *log_z = static_cast<float>(largest + log(sum / counted));
      *effective = static_cast<float>(sum * sum / squares);
    });
  }
};

}  // namespace ebm
