// SPDX-License-Identifier: MIT
// What EBM-BB's two networks minimise, and the points of gradient penalties. Notation and equation numbers:
// docs/method.md. The losses of adversarial networks are in gan.h.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// What the squared residual of the bidirectional penalty is divided by.
enum class PenaltyNormaliser { none, d, v, v2 };

/// The penalty's kind: the residual E'(x~; J v0) - a . v0 of eq. 18-20, or the zero-centred ||grad_x E||^2.
enum class PenaltyKind { bidirectional, gradient_norm };

/// The energy's loss (eq. 15, 20) and the cotangents of the directional derivatives, B samples:
///   bidirectional:  penalty = mean_i (directional_i - target_i)^2 / n_i,  term = weight penalty / 2 - hinge,
///                   c_i = weight (directional_i - target_i) / (n_i B)
///   gradient_norm:  penalty = mean_i directional_i, which is ||grad_x E||^2,  term = weight penalty - hinge,
///                   c_i = 2 weight / B
/// loss = mean real - mean fake + max(term, 0), or log_z in the place of -mean fake; c = 0 where term <= 0. A
/// sample with good = 0 is left out of the penalty.
struct EnergyObjective {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples;  // B
  int64_t domain;   // d
  PenaltyKind kind;
  PenaltyNormaliser normaliser;
  float weight, hinge;
  const float *real, *fake, *directional;  // B; directional is null without a penalty, c too
  const float *target, *norm_v0, *good;    // B; null for gradient_norm
  float* c;                                // B
  float *mean_real, *mean_fake, *penalty, *loss;
  const float* log_z = nullptr;  // 1; null: none

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({real, fake, directional, good}, samples);
    uses.reads(log_z, 1);
    if (kind == PenaltyKind::bidirectional) {
      uses.reads(target, samples);
      if (normaliser == PenaltyNormaliser::v || normaliser == PenaltyNormaliser::v2)
        uses.reads(norm_v0, samples);
    }
    uses.writes(c, samples);
    uses.writes({mean_real, mean_fake, penalty, loss}, 1);
  }

  EBM_HD double divisor(int64_t i) const {
    if (normaliser == PenaltyNormaliser::none) return 1;
    if (normaliser == PenaltyNormaliser::d) return static_cast<double>(domain);
    const double v = norm_v0[i];
    return normaliser == PenaltyNormaliser::v ? v : v * v;
  }
  EBM_HD bool counts(int64_t i) const { return good == nullptr || good[i] != 0; }

  EBM_HD int64_t work() const { return samples; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double b = static_cast<double>(samples);
    const double er = team.sum(samples, [&](int64_t i) { return static_cast<double>(real[i]); }) / b;
    const double ef = team.sum(samples, [&](int64_t i) { return static_cast<double>(fake[i]); }) / b;
    const double counted = team.sum(samples, [&](int64_t i) { return counts(i) ? 1.0 : 0.0; });
    const double n = counted > 0 ? counted : 1;
    const bool squared = kind == PenaltyKind::bidirectional;
    const double p = team.sum(samples, [&](int64_t i) {
      if (directional == nullptr || !counts(i)) return 0.0;
      if (!squared) return static_cast<double>(directional[i]);
      const double residual = static_cast<double>(directional[i]) - target[i];
      return residual * residual / divisor(i);
    }) / n;
    const double term = (squared ? 0.5 : 1.0) * weight * p - hinge;
    const bool active = !(term <= 0);  // a NaN stays a NaN
    team.each(c != nullptr ? samples : 0, [&](int64_t i) {
      const double slope =
          squared ? weight * (static_cast<double>(directional[i]) - target[i]) / divisor(i) : 2.0 * weight;
      c[i] = active && counts(i) ? static_cast<float>(slope / n) : 0.0f;
    });
    team.single([&] {
      *mean_real = static_cast<float>(er);
      *mean_fake = static_cast<float>(ef);
      *penalty = static_cast<float>(p);
      const double normaliser_term = log_z != nullptr ? static_cast<double>(*log_z) : -ef;
      *loss = static_cast<float>(er + normaliser_term + (active ? term : 0.0));
    });
  }
};

/// The mean of the entropy values of the good samples, and the factor -entropy_weight / (how many) that turns
/// the sum of their gradients into the generator's. `share_floored` is the share of those at the floor, whose
/// value stands for one that is lower or minus infinity; `share_good` that of the other good ones.
struct EntropyMean {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples;
  float entropy_weight;
  const float *value, *good, *floored;  // B
  float *mean, *factor, *share_good, *share_floored;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({value, good, floored}, samples);
    uses.writes({mean, factor, share_good, share_floored}, 1);
  }

  EBM_HD int64_t work() const { return samples; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double n = team.sum(samples, [&](int64_t i) { return static_cast<double>(good[i]); });
    const double low = team.sum(samples, [&](int64_t i) { return static_cast<double>(floored[i]); });
    const double sum =
        team.sum(samples, [&](int64_t i) { return good[i] != 0 ? static_cast<double>(value[i]) : 0.0; });
    team.single([&] {
      *mean = n > 0 ? static_cast<float>(sum / n) : 0.0f;
      *factor = n > 0 ? static_cast<float>(-entropy_weight / n) : 0.0f;
      *share_good = static_cast<float>((n - low) / static_cast<double>(samples));
      *share_floored = static_cast<float>(low / static_cast<double>(samples));
    });
  }
};

/// The generator's loss (eq. 11): mean E(G(z)) - entropy_weight * entropy_mean (null: no entropy term).
struct GeneratorObjective {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples;
  float entropy_weight;
  const float *energy, *entropy_mean;
  float* loss;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(energy, samples);
    uses.reads(entropy_mean, 1);
    uses.writes(loss, 1);
  }

  EBM_HD int64_t work() const { return samples; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double e = team.sum(samples, [&](int64_t i) { return static_cast<double>(energy[i]); });
    team.single([&] {
      const double entropy = entropy_mean != nullptr ? static_cast<double>(*entropy_mean) : 0.0;
      *loss = static_cast<float>(e / static_cast<double>(samples) - entropy_weight * entropy);
    });
  }
};

/// out = alpha[b] x[b, :] + (1 - alpha[b]) y[b, :]: the points between data and samples of WGAN-GP.
struct Interpolate {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  const float *alpha, *x, *y;
  float* out;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(alpha, rows);
    uses.reads(x, rows * columns);
    uses.reads(y, rows * columns);
    uses.writes(out, rows * columns);
  }

  bool aligned() const { return on_16_bytes(x, y, out); }
  EBM_HD float* output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return alpha[e.row] * e(x) + (1 - alpha[e.row]) * e(y);
  }
};

}  // namespace ebm
