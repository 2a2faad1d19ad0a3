// SPDX-License-Identifier: MIT
// Losses of adversarial games, with D = -E a discriminator's output and f the loss of one number:
//   L_E = mean f(E(x)) + mean f(-E(x~))
//   softplus  f(e) = log(1 + exp(e)),  L_G = mean f(E(x~))   non-saturating (Goodfellow et al. 2014)
//   hinge     f(e) = max(0, 1 + e),    L_G = mean E(x~)      (Lim & Ye 2017, Miyato et al. 2018)
//   linear    f(e) = e,                L_G = mean E(x~)
// in float64. A NaN among the energies makes the loss NaN.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

enum class GanLoss { softplus, hinge, linear };

/// log(1 + exp(x)), where exp(x) itself may overflow.
EBM_HD inline double softplus_of(double x) {
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}
/// Its derivative.
EBM_HD inline double sigmoid_of(double x) {
  return 1 / (1 + exp(-x));
}

/// f(e).
EBM_HD inline double gan_loss(GanLoss kind, double e) {
  if (kind == GanLoss::softplus) return softplus_of(e);
  if (kind == GanLoss::hinge) return 1 + e <= 0 ? 0 : 1 + e;
  return e;
}
/// f'(e): at the kink of the hinge 0, as PyTorch's relu has it.
EBM_HD inline double gan_slope(GanLoss kind, double e) {
  if (kind == GanLoss::softplus) return sigmoid_of(e);
  if (kind == GanLoss::hinge) return 1 + e <= 0 ? 0 : 1;
  return 1;
}

/// L_E, the means of the energies, and the cotangents dL_E / dE of both batches.
struct GanObjective {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples;  // B
  GanLoss kind;
  const float *real, *fake;    // B: E(x), E(x~)
  float *real_bar, *fake_bar;  // B
  float *mean_real, *mean_fake, *loss;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({real, fake}, samples);
    uses.writes({real_bar, fake_bar}, samples);
    uses.writes({mean_real, mean_fake, loss}, 1);
  }

  EBM_HD int64_t work() const { return 8 * samples; }  // exponentials and logarithms
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double b = static_cast<double>(samples);
    const Sums<2> means = team.sums(samples, [&](int64_t i) {
      return Sums<2>{{static_cast<double>(real[i]), static_cast<double>(fake[i])}};
    });
    const double sum =
        team.sum(samples, [&](int64_t i) { return gan_loss(kind, real[i]) + gan_loss(kind, -fake[i]); });
    team.each(samples, [&](int64_t i) {
      real_bar[i] = static_cast<float>(gan_slope(kind, real[i]) / b);
      fake_bar[i] = static_cast<float>(-gan_slope(kind, -fake[i]) / b);
    });
    team.single([&] {
      *mean_real = static_cast<float>(means.of[0] / b);
      *mean_fake = static_cast<float>(means.of[1] / b);
      *loss = static_cast<float>(sum / b);
    });
  }
};

/// L_G and its cotangents dL_G / dE.
struct GanGeneratorObjective {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples;  // B
  GanLoss kind;
  const float* fake;  // B: E(x~)
  float* fake_bar;    // B
  float* loss;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(fake, samples);
    uses.writes(fake_bar, samples);
    uses.writes(loss, 1);
  }

  EBM_HD int64_t work() const { return 8 * samples; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double b = static_cast<double>(samples);
    const GanLoss f = kind == GanLoss::softplus ? GanLoss::softplus : GanLoss::linear;
    const double sum = team.sum(samples, [&](int64_t i) { return gan_loss(f, fake[i]); });
    team.each(samples, [&](int64_t i) { fake_bar[i] = static_cast<float>(gan_slope(f, fake[i]) / b); });
    team.single([&] { *loss = static_cast<float>(sum / b); });
  }
};

}  // namespace ebm
