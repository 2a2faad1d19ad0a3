// SPDX-License-Identifier: MIT
// The entropy bounds' arithmetic between the networks' passes. Notation and equation numbers: docs/method.md.
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

}  // namespace ebm
