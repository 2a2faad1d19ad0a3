// SPDX-License-Identifier: MIT
// A monotone coupling (layers/monotone_coupling.h): rows x = [u | v] become y = [f(v; p) | u], where
//   f(v; p) = B v + b + sum over k of A_k tanh(C_k (v - m_k)),   A_k = exp(p_k - 2),  C_k = exp(p_{K+k}),
//   m_k = p_{2K+k} + m0_k,  B = exp(p_{3K} - 1/2),  b = p_{3K+1},   m0_k evenly from -2 to 2,
// for each of v's features with 3K + 2 parameters of its own, functions of u. f' > 0: A, B, C are positive.
//
// With t_k = tanh(s_k), s_k = C_k (v - m_k), the derivatives along (v_dot, p_dot) are
//   s_dot = s_k c_dot + C_k (v_dot - m_dot),                               c_dot that of log C_k
//   y_dot = B (v_dot + v B_dot) + b_dot + sum A_k (t_k a_dot + t'_k s_dot),  t' = 1 - t^2, t'' = -2 t t'
#pragma once

#include "kernels/formulas/columns.h"

namespace ebm {

/// The shape of a coupling, and the numbers of step k of feature j of v in a row.
struct CouplingSizes {
  int64_t moved;  ///< features of v
  int64_t kept;   ///< of u
  int64_t steps;  ///< K

  EBM_HD int64_t columns() const { return moved + kept; }
  EBM_HD int64_t of_feature() const { return 3 * steps + 2; }
  EBM_HD int64_t parameters() const { return moved * of_feature(); }
  EBM_HD int64_t first(int64_t row, int64_t j) const { return row * parameters() + j * of_feature(); }
  EBM_HD float centre(int64_t k) const {
    return steps > 1 ? 4 * static_cast<float>(k) / static_cast<float>(steps - 1) - 2 : 0;
  }
};

struct CouplingStep {
  float height, slope, s, t, t1;  ///< A, C, s, t, t'

  EBM_HD CouplingStep(const CouplingSizes& sizes, ConstArray p, int64_t first, int64_t k, float v)
      : height(exp_of(number_of(p, first + k) - 2)),
        slope(exp_of(number_of(p, first + sizes.steps + k))),
        s(slope * (v - number_of(p, first + 2 * sizes.steps + k) - sizes.centre(k))),
        t(1 - 2 / (1 + exp_of(2 * s))),  // to a rounding of 1, all that a sum of steps asks of it
        t1(1 - t * t) {}
};

/// f'(v)
EBM_HD inline float coupling_slope(const CouplingSizes& sizes, ConstArray p, int64_t first, float v) {
  float slope = exp_of(number_of(p, first + 3 * sizes.steps) - 0.5f);
  for (int64_t k = 0; k < sizes.steps; ++k) {
    const CouplingStep step(sizes, p, first, k, v);
    slope += step.height * step.slope * step.t1;
  }
  return slope;
}

/// y = [f(v; p) | u].
struct Coupling {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  CouplingSizes sizes;
  ConstArray x;  // rows x columns
  ConstArray p;  // rows x parameters
  Array y;       // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(p, rows * sizes.parameters());
    uses.writes(y, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    if (column >= sizes.moved)
      return set_number(y, row * columns + column, number_of(x, row * columns + column - sizes.moved));
    const float v = number_of(x, row * columns + sizes.kept + column);
    const int64_t first = sizes.first(row, column), linear = first + 3 * sizes.steps;
    float sum = exp_of(number_of(p, linear) - 0.5f) * v + number_of(p, linear + 1);
    for (int64_t k = 0; k < sizes.steps; ++k) {
      const CouplingStep step(sizes, p, first, k, v);
      sum += step.height * step.t;
    }
    set_number(y, row * columns + column, sum);
  }
};

/// y_dot of rows of tangents; row r belongs to sample r % samples.
struct CouplingTangent {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t samples;
  CouplingSizes sizes;
  ConstArray x, p;          // of the samples
  ConstArray x_dot, p_dot;  // rows of them
  Array y_dot;              // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, samples * columns);
    uses.reads(p, samples * sizes.parameters());
    uses.reads(x_dot, rows * columns);
    uses.reads(p_dot, rows * sizes.parameters());
    uses.writes(y_dot, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    if (column >= sizes.moved)
      return set_number(y_dot, row * columns + column,
                        number_of(x_dot, row * columns + column - sizes.moved));
    const int64_t sample = remainder32(row, samples), steps = sizes.steps;
    const float v = number_of(x, sample * columns + sizes.kept + column);
    const float v_dot = number_of(x_dot, row * columns + sizes.kept + column);
    const int64_t first = sizes.first(sample, column), dot = sizes.first(row, column);
    const float slope = exp_of(number_of(p, first + 3 * steps) - 0.5f);
    float sum =
        slope * (v_dot + v * number_of(p_dot, dot + 3 * steps)) + number_of(p_dot, dot + 3 * steps + 1);
    for (int64_t k = 0; k < steps; ++k) {
      const CouplingStep step(sizes, p, first, k, v);
      const float s_dot = step.s * number_of(p_dot, dot + steps + k) +
                          step.slope * (v_dot - number_of(p_dot, dot + 2 * steps + k));
      sum += step.height * (step.t * number_of(p_dot, dot + k) + step.t1 * s_dot);
    }
    set_number(y_dot, row * columns + column, sum);
  }
};

/// log_det[b] += log |det dy/dx| = sum over v's features of log f',  f' = B + sum A_k C_k t'_k.
struct CouplingLogDet {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns = 1;
  CouplingSizes sizes;
  ConstArray x, p;
  float* log_det;  // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * sizes.columns());
    uses.reads(p, rows * sizes.parameters());
    uses.updates(log_det, rows);
  }

  EBM_HD void operator()(int64_t row, int64_t) const {
    float sum = 0;
    for (int64_t j = 0; j < sizes.moved; ++j) {
      const float v = number_of(x, row * sizes.columns() + sizes.kept + j);
      sum += logf(coupling_slope(sizes, p, sizes.first(row, j), v));
    }
    log_det[row] += sum;
  }
};

/// The gradient of <y_bar, y> + <log_det_bar, log |det|> + sum over tangents <y_dot_bar, y_dot> with respect
/// to v, p, v_dot and p_dot. A sample from tangent_samples on has no tangents. Tangent t of sample b is row
/// t * tangent_samples + b.
struct CouplingBackward {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;  // B, features of v
  int64_t tangents = 0, tangent_samples = 0;
  CouplingSizes sizes;
  ConstArray x, p;                                 // of B rows
  ConstArray x_dot = nullptr, p_dot = nullptr;     // of the tangents
  const float* log_det_bar = nullptr;              // B; null: zero
  ConstArray y_bar = nullptr;                      // of B rows; null: zero
  ConstArray y_dot_bar = nullptr;                  // of the tangents
  Array v_bar, p_bar;                              // B x moved, B x parameters
  Array v_dot_bar = nullptr, p_dot_bar = nullptr;  // of the tangents

  template <class Uses>
  void arrays(Uses& uses) const {
    const int64_t dots = tangents * tangent_samples, all = sizes.columns(), parameters = sizes.parameters();
    uses.reads(x, rows * all);
    uses.reads(p, rows * parameters);
    uses.reads(x_dot, dots * all);
    uses.reads(p_dot, dots * parameters);
    uses.reads(log_det_bar, rows);
    uses.reads(y_bar, rows * all);
    uses.reads(y_dot_bar, dots * all);
    uses.writes(v_bar, rows * columns);
    uses.writes(p_bar, rows * parameters);
    uses.writes(v_dot_bar, dots * columns);
    uses.writes(p_dot_bar, dots * parameters);
  }

  EBM_HD void operator()(int64_t row, int64_t j) const {
    const int64_t all = sizes.columns();
    const float v = number_of(x, row * all + sizes.kept + j);
    const float bar = present(y_bar) ? number_of(y_bar, row * all + j) : 0;
    const int64_t count = row < tangent_samples ? tangents : 0;
    // of f' in log f'
    const float slope_bar =
        log_det_bar != nullptr ? log_det_bar[row] / coupling_slope(sizes, p, sizes.first(row, j), v) : 0;
    float v_sum = linear_part(row, j, v, bar, slope_bar, count);
    for (int64_t k = 0; k < sizes.steps; ++k) v_sum += step_part(row, j, k, v, bar, slope_bar, count);
    set_number(v_bar, row * columns + j, v_sum);
  }

 private:
  /// What B v + b adds to v_bar; writes its parameters' cotangents, and v_dot_bar's first part.
  EBM_HD float linear_part(int64_t row, int64_t j, float v, float bar, float slope_bar, int64_t count) const {
    const int64_t all = sizes.columns(), at = sizes.first(row, j) + 3 * sizes.steps;
    const float slope = exp_of(number_of(p, at) - 0.5f);
    float factor_bar = bar * slope * v + slope_bar * slope, v_sum = bar * slope;
    for (int64_t t = 0; t < count; ++t) {
      const int64_t r = t * tangent_samples + row, dot = sizes.first(r, j) + 3 * sizes.steps;
      const float dot_bar = number_of(y_dot_bar, r * all + j), slope_dot = number_of(p_dot, dot);
      factor_bar += dot_bar * slope * (number_of(x_dot, r * all + sizes.kept + j) + v * slope_dot);
      v_sum += dot_bar * slope * slope_dot;
      set_number(v_dot_bar, r * columns + j, dot_bar * slope);
      set_number(p_dot_bar, dot, dot_bar * slope * v);
      set_number(p_dot_bar, dot + 1, dot_bar);
    }
    set_number(p_bar, at, factor_bar);
    set_number(p_bar, at + 1, bar);
    return v_sum;
  }

  /// What step k adds to v_bar and v_dot_bar; writes its parameters' cotangents.
  EBM_HD float step_part(int64_t row, int64_t j, int64_t k, float v, float bar, float slope_bar,
                         int64_t count) const {
    const int64_t all = sizes.columns(), steps = sizes.steps, at = sizes.first(row, j) + k;
    const CouplingStep step(sizes, p, sizes.first(row, j), k, v);
    const float t2 = -2 * step.t * step.t1;
    // Of log A, s, and the factors of s = C (v - m) beside s_dot's.
    const float of_slope = slope_bar * step.height * step.slope;
    float height_bar = bar * step.height * step.t + of_slope * step.t1,
          s_bar = bar * step.height * step.t1 + of_slope * t2, factor_bar = of_slope * step.t1;
    for (int64_t t = 0; t < count; ++t) {
      const int64_t r = t * tangent_samples + row, dot = sizes.first(r, j) + k;
      const float dot_bar = number_of(y_dot_bar, r * all + j) * step.height;
      const float height_dot = number_of(p_dot, dot), slope_dot = number_of(p_dot, dot + steps);
      const float shift_dot = number_of(x_dot, r * all + sizes.kept + j) - number_of(p_dot, dot + 2 * steps);
      const float s_dot = step.s * slope_dot + step.slope * shift_dot, s_dot_bar = dot_bar * step.t1;
      height_bar += dot_bar * (step.t * height_dot + step.t1 * s_dot);
      s_bar += dot_bar * (step.t1 * height_dot + t2 * s_dot) + s_dot_bar * slope_dot;
      factor_bar += s_dot_bar * step.slope * shift_dot;
      set_number(p_dot_bar, dot, dot_bar * step.t);
      set_number(p_dot_bar, dot + steps, s_dot_bar * step.s);
      set_number(p_dot_bar, dot + 2 * steps, -s_dot_bar * step.slope);
      set_number(v_dot_bar, r * columns + j, number_of(v_dot_bar, r * columns + j) + s_dot_bar * step.slope);
    }
    const float shift_bar = s_bar * step.slope;
    set_number(p_bar, at, height_bar);
    set_number(p_bar, at + steps, s_bar * step.s + factor_bar);
    set_number(p_bar, at + 2 * steps, -shift_bar);
    return shift_bar;
  }
};

/// x_bar = [u_bar + the last columns of y_bar | v_bar].
struct CouplingInputs {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  CouplingSizes sizes;
  ConstArray u_bar, v_bar;  // rows x kept, rows x moved
  ConstArray y_bar;         // rows x columns; null: zero
  Array x_bar;              // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(u_bar, rows * sizes.kept);
    uses.reads(v_bar, rows * sizes.moved);
    uses.reads(y_bar, rows * columns);
    uses.writes(x_bar, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t kept = sizes.kept;
    float value = 0;
    if (column < kept) {
      value = number_of(u_bar, row * kept + column);
      if (present(y_bar)) value += number_of(y_bar, row * columns + sizes.moved + column);
    } else {
      value = number_of(v_bar, row * sizes.moved + column - kept);
    }
    set_number(x_bar, row * columns + column, value);
  }
};

}  // namespace ebm
