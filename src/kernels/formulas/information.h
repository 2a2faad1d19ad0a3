// SPDX-License-Identifier: MIT
// The mutual information of samples and their latents in place of the generator's entropy (MEG: Kumar et al.
// 2019): a network T tells pairs (x, z) that belong together from those whose z is another's. Its binary
// cross entropy,
//   BCE = ( sum over joint of softplus(-T) + sum over product of softplus(T) ) / 2B,
// is small where the information is large.
#pragma once

#include "kernels/formulas/gan.h"

namespace ebm {

/// BCE, and the cotangents weight dBCE / dT.
struct InformationObjective {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples;  // B
  float weight;
  const float* logit;  // 2B: T of B joint pairs, then of B pairs of the product of marginals
  float* logit_bar;    // 2B
  float* loss;         // BCE

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(logit, 2 * samples);
    uses.writes(logit_bar, 2 * samples);
    uses.writes(loss, 1);
  }

  EBM_HD int64_t work() const { return 16 * samples; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const int64_t joint = samples;
    const double n = 2 * static_cast<double>(samples);
    const double sum =
        team.sum(2 * samples, [&](int64_t i) { return softplus_of(i < joint ? -logit[i] : logit[i]); });
    team.each(2 * samples, [&](int64_t i) {
      const double slope = i < joint ? -sigmoid_of(-logit[i]) : sigmoid_of(logit[i]);
      logit_bar[i] = static_cast<float>(weight * slope / n);
    });
    team.single([&] { *loss = static_cast<float>(sum / n); });
  }
};

/// out = z[argsort(keys)]: row b goes where its key stands among all keys. Equal keys keep their order, NaN
/// is behind all numbers.
struct PermuteRows {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, columns;
  const float* keys;  // rows
  const float* z;     // rows x columns
  float* out;         // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(keys, rows);
    uses.reads(z, rows * columns);
    uses.writes(out, rows * columns);
  }

  /// Whether row i stands before row j.
  EBM_HD bool before(int64_t i, int64_t j) const {
    const float a = keys[i], b = keys[j];
    const bool a_is_number = a == a, b_is_number = b == b;
    if (a_is_number != b_is_number) return a_is_number;
    return a < b || (!(a > b) && i < j);
  }

  EBM_HD int64_t work() const { return rows + columns; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const double rank = team.sum(rows, [&](int64_t i) { return before(i, row) ? 1.0 : 0.0; });
    const int64_t to = static_cast<int64_t>(rank) * columns, from = row * columns;
    team.each(columns, [&](int64_t i) { out[to + i] = z[from + i]; });
  }
};

}  // namespace ebm
