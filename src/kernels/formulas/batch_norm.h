// SPDX-License-Identifier: MIT
// Batch norm of a column (channel) over N rows:
//   m = mean x,  s = 1 / sqrt(var + eps) (var with 1/N),  xh = s (x - m),  y = g xh + b,
// or the same with m, s from the running statistics, when it is an affine map of each row on its own.
// A leaky ReLU may follow in the same formulas: y = leaky(g xh + b), whose derivative is a Mask.
// A bias that the layer before adds to x would be subtracted again with the mean, so x may come without it
// (`bias_before`): then m is the mean of x without it, and the running mean that of x with it.
// The derivations of all maps stand in docs/method.md, "Batch norm". The parameters' gradients are in
// batch_norm_backward.h.
#pragma once

#include "kernels/formulas/formula.h"
#include "kernels/formulas/leaky_relu.h"

namespace ebm {

/// The terms of sum x and sum x^2.
template <class Value>
EBM_HD auto moments(const Value& x) {
  const auto v = as_double(x);
  return Sums{v, v * v};
}

/// m and s of the batch; running_mean and running_var move by `momentum` (running_var with N / (N - 1), as
/// PyTorch).
struct BatchNormStatistics {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  ConstArray x;  // rows x columns
  float eps, momentum;
  float *mean, *inv_std;               // columns: m, s
  float *running_mean, *running_var;   // columns
  const float* bias_before = nullptr;  // columns, or null

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(bias_before, columns);
    uses.writes(mean, columns);
    uses.writes(inv_std, columns);
    uses.updates(running_mean, columns);
    uses.updates(running_var, columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x); }
  template <class E>
  EBM_HD auto term(const E& e) const {
    return moments(e(x));
  }
  EBM_HD void finish(int64_t column, const Sums<2>& sums) const {
    const double n = static_cast<double>(rows);
    const double m = sums.of[0] / n;
    const double spread =
        sums.of[1] / n - m * m;  // float32 squared is exact in float64: no cancellation to fear
    const double var = spread > 0 ? spread : (spread <= 0 ? 0 : spread);  // keeps NaN
    mean[column] = static_cast<float>(m);
    inv_std[column] = static_cast<float>(1 / sqrt(var + eps));
    const float full_mean = static_cast<float>(m) + (bias_before != nullptr ? bias_before[column] : 0);
    running_mean[column] += momentum * (full_mean - running_mean[column]);
    running_var[column] += momentum * (static_cast<float>(var * n / (n - 1)) - running_var[column]);
  }
};

/// The first half of BatchNormStatistics, where the batch is shared by several ranks: sums = {sum x, sum x^2} of this
/// rank's rows.
struct BatchNormRankSums {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  ConstArray x;  // rows x columns
  double* sums;  // 2 x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.writes(sums, 2 * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x); }
  template <class E>
  EBM_HD auto term(const E& e) const {
    return moments(e(x));
  }
  EBM_HD void finish(int64_t column, const Sums<2>& found) const {
    sums[column] = found.of[0];
    sums[columns + column] = found.of[1];
  }
};

/// The second half: `of_all` finished with the sums of all ranks, taken in the order of the ranks. Run over one row.
struct BatchNormOfRanks {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows = 1, columns;
  int64_t ranks;
  const double* sums;          // ranks x 2 x columns
  BatchNormStatistics of_all;  // its rows: those of all ranks; its x: none

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(sums, 2 * ranks * columns);
    uses.reads(of_all.bias_before, columns);
    uses.writes({of_all.mean, of_all.inv_std}, columns);
    uses.updates(of_all.running_mean, columns);
    uses.updates(of_all.running_var, columns);
  }

  EBM_HD void operator()(int64_t, int64_t column) const {
    Sums<2> total{{0, 0}};
    for (int64_t rank = 0; rank < ranks; ++rank) {
      total.of[0] += sums[2 * rank * columns + column];
      total.of[1] += sums[(2 * rank + 1) * columns + column];
    }
    of_all.finish(column, total);
  }
};

/// m and s from the running statistics. Run over one row.
struct BatchNormRunning {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows = 1, columns;
  const float *running_mean, *running_var;
  float eps;
  float *mean, *inv_std;
  const float* bias_before = nullptr;  // columns, or null

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({running_mean, running_var, bias_before}, columns);
    uses.writes(mean, columns);
    uses.writes(inv_std, columns);
  }

  EBM_HD void operator()(int64_t, int64_t column) const {
    mean[column] = running_mean[column] - (bias_before != nullptr ? bias_before[column] : 0);
    inv_std[column] = static_cast<float>(1 / sqrt(static_cast<double>(running_var[column]) + eps));
  }
};

/// y = a leaky ReLU of g s (x - m) + b; slope 1: that itself.
struct BatchNormApply {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray x;
  const float *mean, *inv_std, *weight, *bias;
  Array y;
  float slope = 1;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads({mean, inv_std, weight, bias}, columns);
    uses.writes(y, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, mean, inv_std, weight, bias, y); }
  EBM_HD Array output() const { return y; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const auto xh = e.of_column(inv_std) * (e(x) - e.of_column(mean));
    const auto h = e.of_column(weight) * xh + e.of_column(bias);
    return where(h > 0, h, slope * h);
  }
};

/// out = mask g s in: the whole linearised map, forwards and backwards, when m and s are constants.
struct BatchNormScale {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray in;
  const float *inv_std, *weight;
  Array out;
  Mask mask;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(in, rows * columns);
    uses.reads({inv_std, weight}, columns);
    mask.arrays(uses, rows, columns);
    uses.writes(out, rows * columns);
  }

  Type type() const { return in.type; }
  bool aligned() const { return on_16_bytes(in, inv_std, weight, out, mask.y); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return mask.at(e) * (e.of_column(weight) * e.of_column(inv_std)) * e(in);
  }
};

/// The sums of one block of `rows` rows against the values x: sum u and sum xh u, where u = mask `in`. Serves
/// the JVP (in = x_dot, no mask) and the VJP (in = y_bar). One block is the values or one tangent.
struct BatchNormProjections {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  ConstArray x;                 // rows x columns
  const float *mean, *inv_std;  // columns
  ConstArray in;                // rows x columns
  float *sum_u, *sum_xhu;       // columns
  Mask mask;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({x, in}, rows * columns);
    uses.reads({mean, inv_std}, columns);
    mask.arrays(uses, rows, columns);
    uses.writes(sum_u, columns);
    uses.writes(sum_xhu, columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, mean, inv_std, in, mask.y); }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const auto xh = e.of_column(inv_std) * (e(x) - e.of_column(mean));
    const auto u = mask.at(e) * e(in);
    const auto u_e = as_double(u);
    return Sums{u_e, as_double(xh) * u_e};
  }
  EBM_HD void finish(int64_t c, const Sums<2>& sums) const {
    sum_u[c] = static_cast<float>(sums.of[0]);
    sum_xhu[c] = static_cast<float>(sums.of[1]);
  }
};

/// out (+)= g s (u - mean u - xh mean(xh u)), where u = mask `in`: batch statistics' linearised map, which is
/// symmetric, so JVP and VJP.
struct BatchNormProject {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray x;
  const float *mean, *inv_std, *weight;
  ConstArray in;
  const float *sum_u, *sum_xhu;
  Array out;
  Write mode;
  Mask mask;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({x, in}, rows * columns);
    uses.reads({mean, inv_std, weight, sum_u, sum_xhu}, columns);
    mask.arrays(uses, rows, columns);
    uses.writes(out, rows * columns, mode);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, mean, inv_std, weight, in, sum_u, sum_xhu, out, mask.y); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const float share = 1 / static_cast<float>(rows);
    const auto s = e.of_column(inv_std), xh = s * (e(x) - e.of_column(mean));
    const auto rest = mask.at(e) * e(in) - e.of_column(sum_u) * share - xh * (e.of_column(sum_xhu) * share);
    return written(e, out, e.of_column(weight) * s * rest, mode);
  }
};

/// What one tangent adds to the values' cotangent with batch statistics (c = y_dot_bar, C = sum xh c, M = sum
/// xh x_dot):
///   q = -g s (x_dot C / N + c M / N),  l = g s (sum c x_dot - sum x_dot sum c / N - M C / N)
///   x_bar += s (q - mean q - xh mean(xh q)) - l s xh / N
/// Two steps: this one gathers sum c x_dot (the other sums are BatchNormProjections of x_dot and of c).
struct BatchNormPairing {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  ConstArray x_dot, c;  // rows x columns
  float* sum;           // columns: sum c x_dot

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x_dot, rows * columns);
    uses.reads(c, rows * columns);
    uses.writes(sum, columns);
  }

  Type type() const { return x_dot.type; }
  bool aligned() const { return on_16_bytes(x_dot, c); }
  template <class E>
  EBM_HD auto term(const E& e) const {
    return Sums{as_double(e(c)) * as_double(e(x_dot))};
  }
  EBM_HD void finish(int64_t column, const Sums<1>& sums) const {
    sum[column] = static_cast<float>(sums.of[0]);
  }
};

/// The second step of BatchNormPairing. mean q and mean(xh q) follow from the sums, since q is linear in
/// x_dot and c.
struct BatchNormCurvature {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray x;
  const float *mean, *inv_std, *weight;
  ConstArray x_dot;  // one tangent and its projections
  const float *sum_x_dot, *sum_xh_x_dot;
  ConstArray c;  // its cotangent y_dot_bar and its projections
  const float *sum_c, *sum_xh_c;
  const float* sum_c_x_dot;
  Array x_bar;
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({x, x_dot, c}, rows * columns);
    uses.reads({mean, inv_std, weight, sum_x_dot, sum_xh_x_dot, sum_c, sum_xh_c, sum_c_x_dot}, columns);
    uses.writes(x_bar, rows * columns, mode);
  }

  Type type() const { return x.type; }
  bool aligned() const {
    return on_16_bytes(x, mean, inv_std, weight, x_dot, sum_x_dot, sum_xh_x_dot, c, sum_c, sum_xh_c,
                       sum_c_x_dot, x_bar);
  }
  EBM_HD Array output() const { return x_bar; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const float n = static_cast<float>(rows);
    const auto s = e.of_column(inv_std);
    const auto xh = s * (e(x) - e.of_column(mean));
    const auto gs = e.of_column(weight) * s;
    const auto big_c = e.of_column(sum_xh_c) / n, big_m = e.of_column(sum_xh_x_dot) / n;
    const auto mean_c = e.of_column(sum_c) / n, mean_x_dot = e.of_column(sum_x_dot) / n;
    const auto q = -gs * (e(x_dot) * big_c + e(c) * big_m);
    const auto mean_q = -gs * (mean_x_dot * big_c + mean_c * big_m);
    const auto mean_xh_q = -2 * gs * big_m * big_c;
    const auto l_over_n = gs * (e.of_column(sum_c_x_dot) / n - mean_x_dot * mean_c - big_m * big_c);
    return written(e, x_bar, s * (q - mean_q - xh * mean_xh_q) - l_over_n * s * xh, mode);
  }
};

}  // namespace ebm
