// SPDX-License-Identifier: MIT
// The gradients of batch norm's parameters g and b (weight and bias), in the notation of batch_norm.h.
#pragma once

#include "kernels/formulas/formula.h"
#include "kernels/formulas/leaky_relu.h"

namespace ebm {

/// weight_bar and bias_bar of the values (running or batch statistics): sum xh bar, sum bar, where bar = mask
/// y_bar; x_bar = g s bar when the statistics are constants (x_bar not null).
struct BatchNormBackward {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  ConstArray x;
  const float *mean, *inv_std, *weight;
  ConstArray y_bar;
  Array x_bar;  // rows x columns, or null
  float *weight_bar, *bias_bar;
  Write mode;
  float *sum_bar, *sum_xh_bar;  // columns: the two sums by themselves, for BatchNormProject
  Mask mask;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({x, y_bar}, rows * columns);
    uses.reads({mean, inv_std}, columns);
    mask.arrays(uses, rows, columns);
    if (present(x_bar)) uses.reads(weight, columns);
    uses.writes(x_bar, rows * columns);
    uses.writes({weight_bar, bias_bar}, columns, mode);
    uses.writes({sum_bar, sum_xh_bar}, columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, mean, inv_std, weight, y_bar, x_bar, mask.y); }
  EBM_HD Array output() const { return x_bar; }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const auto xh = e.of_column(inv_std) * (e(x) - e.of_column(mean));
    const auto bar = mask.at(e) * e(y_bar);
    return SumsAndElement{Sums{as_double(xh) * as_double(bar), as_double(bar)},
                          e.of_column(weight) * e.of_column(inv_std) * bar};
  }
  EBM_HD void finish(int64_t c, const Sums<2>& sums) const {
    sum_xh_bar[c] = static_cast<float>(sums.of[0]);
    sum_bar[c] = static_cast<float>(sums.of[1]);
    write(weight_bar[c], sum_xh_bar[c], mode);
    write(bias_bar[c], sum_bar[c], mode);
  }
};

/// weight_bar of the tangents with constant statistics: sum over all tangent rows of bar s x_dot, where bar =
/// mask y_dot_bar. x_dot_bar = g s bar in the same pass.
struct BatchNormTangentBackward {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  const float *inv_std, *weight;
  ConstArray x_dot, y_dot_bar;  // rows x columns
  Array x_dot_bar;              // rows x columns, or null
  float* weight_bar;            // columns
  Write mode;
  Mask mask;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({x_dot, y_dot_bar}, rows * columns);
    uses.reads(inv_std, columns);
    mask.arrays(uses, rows, columns);
    if (present(x_dot_bar)) uses.reads(weight, columns);
    uses.writes(x_dot_bar, rows * columns);
    uses.writes(weight_bar, columns, mode);
  }

  Type type() const { return x_dot.type; }
  bool aligned() const { return on_16_bytes(inv_std, weight, x_dot, y_dot_bar, x_dot_bar, mask.y); }
  EBM_HD Array output() const { return x_dot_bar; }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const auto scaled = e.of_column(inv_std) * (mask.at(e) * e(y_dot_bar));
    return SumsAndElement{Sums{as_double(e(x_dot)) * as_double(scaled)}, e.of_column(weight) * scaled};
  }
  EBM_HD void finish(int64_t c, const Sums<1>& sums) const {
    write(weight_bar[c], static_cast<float>(sums.of[0]), mode);
  }
};

/// weight_bar (+)= s (sum c x_dot - sum x_dot sum c / N - M C / N): one tangent's share with batch
/// statistics, from sums.
struct BatchNormTangentWeight {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows = 1, columns;
  int64_t samples;  // N
  const float *inv_std, *sum_x_dot, *sum_xh_x_dot, *sum_c, *sum_xh_c, *sum_c_x_dot;
  float* weight_bar;
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({inv_std, sum_x_dot, sum_xh_x_dot, sum_c, sum_xh_c, sum_c_x_dot}, columns);
    uses.writes(weight_bar, columns, mode);
  }

  EBM_HD void operator()(int64_t, int64_t k) const {
    const float n = static_cast<float>(samples);
    write(weight_bar[k],
          inv_std[k] * (sum_c_x_dot[k] - sum_x_dot[k] * (sum_c[k] / n) - sum_xh_x_dot[k] * (sum_xh_c[k] / n)),
          mode);
  }
};

/// The parameters' gradients when values and tangents share one backward signal y_bar (constant statistics):
/// `mixed` = a x + b x_dot, so weight_bar = sum s (mixed - a m) bar, bias_bar = sum a bar; x_bar = g s bar,
/// where bar = mask y_bar.
struct BatchNormSharedBackward {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  int64_t pixels;    // rows that belong to one sample
  ConstArray mixed;  // rows x columns
  const float* a;    // rows / pixels
  const float *mean, *inv_std, *weight;
  ConstArray y_bar;
  Array x_bar;  // rows x columns, or null
  float *weight_bar, *bias_bar;
  Write mode;
  Mask mask;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({mixed, y_bar}, rows * columns);
    uses.reads(a, rows / pixels);
    uses.reads({mean, inv_std}, columns);
    mask.arrays(uses, rows, columns);
    if (present(x_bar)) uses.reads(weight, columns);
    uses.writes(x_bar, rows * columns);
    uses.writes({weight_bar, bias_bar}, columns, mode);
  }

  Type type() const { return mixed.type; }
  bool aligned() const { return on_16_bytes(mixed, mean, inv_std, weight, y_bar, x_bar, mask.y); }
  EBM_HD Array output() const { return x_bar; }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const float weight_of_sample = a[quotient32(e.row, pixels)];
    const auto xh = e.of_column(inv_std) * (e(mixed) - weight_of_sample * e.of_column(mean));
    const auto bar = mask.at(e) * e(y_bar);
    return SumsAndElement{
        Sums{as_double(xh) * as_double(bar), static_cast<double>(weight_of_sample) * as_double(bar)},
        e.of_column(weight) * e.of_column(inv_std) * bar};
  }
  EBM_HD void finish(int64_t c, const Sums<2>& sums) const {
    write(weight_bar[c], static_cast<float>(sums.of[0]), mode);
    write(bias_bar[c], static_cast<float>(sums.of[1]), mode);
  }
};

}  // namespace ebm
