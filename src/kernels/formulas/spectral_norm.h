// SPDX-License-Identifier: MIT
// Spectral normalisation, Wb = W / s with s = u^T W v (layers/spectral_norm.h puts the steps in order).
// W is rows x columns: outputs by all that an output is made of.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// From t = W^T u and, for a power iteration, p = W t:
///   v = t / max(|t|, 1e-12);   with p: u <- W v / max(|W v|, 1e-12), s = <u, W v>;   without: s = <t, v>
struct SpectralStep {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t outputs, inputs;
  const float* t;   // inputs
  const double* p;  // outputs, or null
  float* running;   // outputs: u, which an iteration moves
  float* u;         // outputs: u as it is afterwards
  float* v;         // inputs
  float* sigma;     // 1

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(t, inputs);
    uses.reads(p, outputs);
    if (p != nullptr) {
      uses.writes(running, outputs);
    } else {
      uses.reads(running, outputs);
    }
    uses.writes(u, outputs);
    uses.writes(v, inputs);
    uses.writes(sigma, 1);
  }

  EBM_HD int64_t work() const { return inputs + outputs; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const float* const from = t;
    const double squared =
        team.sum(inputs, [=](int64_t i) { return static_cast<double>(from[i]) * from[i]; });
    const double length = at_least_eps(sqrt(squared));
    float *const new_v = v, *const new_u = u, *const kept = running;
    team.each(inputs, [=](int64_t i) { new_v[i] = static_cast<float>(from[i] / length); });
    if (p == nullptr) {
      team.each(outputs, [=](int64_t o) { new_u[o] = kept[o]; });
      team.single([&] { *sigma = static_cast<float>(squared / length); });
      return;
    }
    const double* const product = p;
    const double image = sqrt(team.sum(outputs, [=](int64_t o) { return product[o] * product[o]; })) / length;
    const double divisor = at_least_eps(image);
    team.each(outputs,
              [=](int64_t o) { new_u[o] = kept[o] = static_cast<float>(product[o] / length / divisor); });
    team.single([&] { *sigma = static_cast<float>(image * (image / divisor)); });
  }

 private:
  /// NaN stays NaN.
  EBM_HD static double at_least_eps(double x) {
    constexpr double eps = 1e-12;
    return x < eps ? eps : x;
  }
};

/// Wb = W / s.
struct SpectralWeight {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  const float* weight;  // rows x columns
  const float* sigma;   // 1
  Array out;            // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(weight, rows * columns);
    uses.reads(sigma, 1);
    uses.writes(out, rows * columns);
  }

  Type type() const { return out.type; }
  bool aligned() const { return on_16_bytes(weight, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e(weight) / *sigma;
  }
};

/// W_bar (+)= (Wb_bar - <Wb_bar, Wb> u v^T) / s, a team a row.
struct SpectralGradient {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, columns;
  const float* bar;    // rows x columns: Wb_bar
  const double* dots;  // rows: <Wb_bar, Wb> by row
  const float* u;      // rows
  const float* v;      // columns
  const float* sigma;  // 1
  float* weight_bar;   // rows x columns
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(bar, rows * columns);
    uses.reads(dots, rows);
    uses.reads(u, rows);
    uses.reads(v, columns);
    uses.reads(sigma, 1);
    uses.writes(weight_bar, rows * columns, mode);
  }

  EBM_HD int64_t work() const { return rows + columns; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const double* const terms = dots;
    const double along = team.sum(rows, [=](int64_t o) { return terms[o]; });
    const float factor = static_cast<float>(along * u[row]), divisor = *sigma;
    const float *const in = bar + row * columns, *const direction = v;
    float* const out = weight_bar + row * columns;
    const Write how = mode;
    team.each(columns, [=](int64_t i) { write(out[i], (in[i] - factor * direction[i]) / divisor, how); });
  }
};

}  // namespace ebm
