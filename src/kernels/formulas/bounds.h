// SPDX-License-Identifier: MIT
// The bounds' arithmetic between the networks' passes. Notation and equation numbers: docs/method.md.
#pragma once

#include "kernels/formulas/element.h"
#include "kernels/formulas/sample_status.h"

namespace ebm {

/// From u = J v (v a unit vector held constant), for each sample (eq. 10), theta = ||u||^2:
///   log_s1 = 1/2 log max(theta, floor2),  value = d log_s1
///   u_bar = d u / theta: the gradient of the value is u_bar^T dJ v
/// A bad sample gets value 0, u_bar 0 and good 0; a sample at the floor keeps its value, gets u_bar 0, so
/// that it moves nothing, and floored 1.
struct SingularValueBound {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;
  int64_t range, domain;  // D, d
  const float* u;         // rows x D
  const int32_t* status;  // rows, SampleStatus bits
  const double* floor2;   // rows
  float *value, *log_s1;  // rows
  float* u_bar;           // rows x D
  float *good, *floored;  // rows: 1 or 0

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(u, rows * range);
    uses.reads(status, rows);
    uses.reads(floor2, rows);
    uses.writes(u_bar, rows * range);
    uses.writes({value, log_s1, good, floored}, rows);
  }

  EBM_HD int64_t work() const { return range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t b) const {
    const float* ub = u + b * range;
    const double theta = team.sum(range, [&](int64_t i) { return static_cast<double>(ub[i]) * ub[i]; });
    const bool usable = (status[b] & bad_sample) == 0 && is_finite(theta);
    const bool moves = usable && (status[b] & floor_hit) == 0 && theta > floor2[b];
    const double log_s = usable ? 0.5 * log(theta > floor2[b] ? theta : floor2[b]) : 0;
    const float factor = moves ? static_cast<float>(static_cast<double>(domain) / theta) : 0.0f;
    team.each(range, [&](int64_t i) { u_bar[b * range + i] = moves ? factor * ub[i] : 0.0f; });
    team.single([&] {
      log_s1[b] = static_cast<float>(log_s);
      value[b] = static_cast<float>(static_cast<double>(domain) * log_s);
      good[b] = usable ? 1.0f : 0.0f;
      floored[b] = usable && !moves ? 1.0f : 0.0f;
    });
  }
};

/// out[b, :] = scale[b] in[b, :], or 0 where `squared` says that the row is not finite.
struct ScaleRows {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  const float* in;                // rows x columns
  const double *scale, *squared;  // rows: factors, and ||in[b, :]||^2
  float* out;                     // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(in, rows * columns);
    uses.reads({scale, squared}, rows);
    uses.writes(out, rows * columns);
  }

  bool aligned() const { return on_16_bytes(in, out); }
  EBM_HD float* output() const { return out; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    return is_finite(squared[e.row]) ? static_cast<float>(scale[e.row]) * e(in) : 0;
  }
};

/// x[b, :] = 0 for a bad sample, whatever it held: 0 times NaN would not do.
struct ZeroBadRows {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  const float* good;  // rows: 1 or 0
  float* x;           // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(good, rows);
    uses.updates(x, rows * columns);
  }

  bool aligned() const { return on_16_bytes(x); }
  EBM_HD float* output() const { return x; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    return good[e.row] != 0 ? e(x) : 0;
  }
};

/// good[b] = 1 if x[b, :] is finite; else 0, and the row becomes 0.
struct FiniteSamples {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, columns;
  float* x;     // rows x columns
  float* good;  // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.updates(x, rows * columns);
    uses.writes(good, rows);
  }

  EBM_HD int64_t work() const { return columns; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float* const image = x + row * columns;
    const double sum = team.sum(columns, [=](int64_t i) { return fabs(static_cast<double>(image[i])); });
    const bool finite = is_finite(sum);
    team.each(columns, [=](int64_t i) { image[i] = finite ? image[i] : 0; });
    team.single([&] { good[row] = finite ? 1.0f : 0.0f; });
  }
};

/// value = L (or 0), good and floored 1 or 0 by the sample's status: the estimates of the log determinant
/// itself.
struct LogDetBound {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns = 1;
  const double* log_det;              // rows
  const double *s1_squared, *floor2;  // rows, or null: log_s1 is NaN
  const int32_t* status;              // rows
  float *value, *log_s1;              // rows
  float *good, *floored;              // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(log_det, rows);
    uses.reads({s1_squared, floor2}, rows);
    uses.reads(status, rows);
    uses.writes({value, log_s1, good, floored}, rows);
  }

  EBM_HD void operator()(int64_t b, int64_t) const {
    const bool usable = (status[b] & bad_sample) == 0 && is_finite(log_det[b]);
    value[b] = usable ? static_cast<float>(log_det[b]) : 0.0f;
    log_s1[b] = s1_squared != nullptr ? log_root(b) : nanf("");
    good[b] = usable ? 1.0f : 0.0f;
    floored[b] = usable && (status[b] & floor_hit) != 0 ? 1.0f : 0.0f;
  }

 private:
  EBM_HD float log_root(int64_t b) const {
    return static_cast<float>(0.5 * log(s1_squared[b] > floor2[b] ? s1_squared[b] : floor2[b]));
  }
};

/// a = z + grad_z (entropy value) = -grad_z log p_g(G(z)) (section 3), target[b] = a . v0. z_bar null: the
/// gradient is 0.
struct GeneratorScore {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;
  int64_t domain;
  const float *z, *z_bar, *v0;  // rows x d
  float* a;                     // rows x d
  float* target;                // rows
  float* norm_v0;               // rows: ||v0||

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({z, z_bar, v0}, rows * domain);
    uses.writes(a, rows * domain);
    uses.writes(target, rows);
    uses.writes(norm_v0, rows);
  }

  EBM_HD int64_t work() const { return domain; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t b) const {
    const int64_t at = b * domain;
    team.each(domain,
              [&](int64_t i) { a[at + i] = z_bar != nullptr ? z[at + i] + z_bar[at + i] : z[at + i]; });
    const double dot =
        team.sum(domain, [&](int64_t i) { return static_cast<double>(a[at + i]) * v0[at + i]; });
    const double square =
        team.sum(domain, [&](int64_t i) { return static_cast<double>(v0[at + i]) * v0[at + i]; });
    team.single([&] {
      target[b] = static_cast<float>(dot);
      norm_v0[b] = static_cast<float>(sqrt(square));
    });
  }
};

/// What the squared residual of the bidirectional penalty is divided by.
enum class PenaltyNormaliser { none, d, v, v2 };

/// The penalty's kind: the residual E'(x~; J v0) - a . v0 of eq. 18-20, or the zero-centred ||grad_x E||^2.
enum class PenaltyKind { bidirectional, gradient_norm };

/// The energy's loss (eq. 15, 20) and the cotangents of the directional derivatives, B samples:
///   bidirectional:  penalty = mean_i (directional_i - target_i)^2 / n_i,  term = weight penalty / 2 - hinge,
///                   c_i = weight (directional_i - target_i) / (n_i B)
///   gradient_norm:  penalty = mean_i directional_i, which is ||grad_x E||^2,  term = weight penalty - hinge,
///                   c_i = 2 weight / B
/// loss = mean real - mean fake + max(term, 0); c = 0 where term <= 0. A sample with good = 0 is left out of
/// the penalty.
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

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({real, fake, directional, good}, samples);
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
      *loss = static_cast<float>(er - ef + (active ? term : 0.0));
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

/// x *= *factor, over a flat buffer.
struct ScaleBy {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows = 1, columns;
  const float* factor;
  float* x;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(factor, 1);
    uses.updates(x, columns);
  }

  bool aligned() const { return on_16_bytes(x); }
  EBM_HD float* output() const { return x; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e(x) * *factor;
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
