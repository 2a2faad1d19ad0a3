// SPDX-License-Identifier: MIT
// The steps of the preconditioner M = running mean of J^T J. src/linalg/preconditioner.cpp puts them in
// order.
#pragma once

#include "kernels/formulas/element.h"
#include "kernels/formulas/vectors.h"

namespace ebm {

/// out[r] = in[r] M_b in float64, M_b inner x columns: one matrix a sample (row r belongs to sample r %
/// batch), or one for all (batch = 1). Each row alone, so that a NaN stays in its row and the bits do not
/// depend on the batch.
struct RowTimesMatrix {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  int64_t inner, batch;
  const float* in;      // rows x inner
  const float* matrix;  // batch x inner x columns
  float* out;           // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(in, rows * inner);
    uses.reads(matrix, batch * inner * columns);
    uses.writes(out, rows * columns);
  }

  bool aligned() const { return on_16_bytes(matrix, out); }
  EBM_HD float* output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const float* x = in + e.row * inner;
    const int64_t first = (e.row % batch) * inner;
    auto sum = as_double(typename E::Value(0));
    for (int64_t k = 0; k < inner; ++k)
      sum = sum + static_cast<double>(x[k]) * as_double(e.in_row(matrix, first + k));
    return as_float(sum);
  }
};

/// usable[r] = 1 where row r of h is finite, else 0.
struct FiniteRows {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, columns;
  const float* h;
  int32_t* usable;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(h, rows * columns);
    uses.writes(usable, rows);
  }

  EBM_HD int64_t work() const { return columns; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const float* x = h + row * columns;
    const double sum = team.sum(columns, [=](int64_t i) { return fabs(static_cast<double>(x[i])); });
    team.single([&] { usable[row] = is_finite(sum) ? 1 : 0; });
  }
};

/// sum <- beta sum + (1 - beta) mean over usable rows of h h^T. Rows = columns = d. Unchanged if no row is
/// usable.
struct SecondMoment {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t batch;
  const float* h;         // batch x d
  const int32_t* usable;  // batch
  double beta;
  double* sum;  // d x d

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(h, batch * columns);
    uses.reads(usable, batch);
    uses.updates(sum, rows * columns);
  }

  EBM_HD void operator()(int64_t i, int64_t j) const {
    double added = 0;
    int64_t count = 0;
    for (int64_t b = 0; b < batch; ++b) {
      const bool use = usable[b] != 0;
      added += use ? static_cast<double>(h[b * columns + i]) * h[b * columns + j] : 0;
      count += use ? 1 : 0;
    }
    double& m = sum[i * columns + j];
    m = count > 0 ? beta * m + (1 - beta) * (added / static_cast<double>(count)) : m;
  }
};

/// The weights of that running mean: weight[0] = sum of w, weight[1] = sum of w^2 over all rows ever used, so
/// that N_eff = weight[0]^2 / weight[1] rows stand behind it.
struct MomentWeight {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t batch;
  const int32_t* usable;
  double beta;
  double* weight;  // 2

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(usable, batch);
    uses.updates(weight, 2);
  }

  EBM_HD int64_t work() const { return batch; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double count = team.sum(batch, [=, this](int64_t b) { return static_cast<double>(usable[b]); });
    team.single([&] {
      if (count > 0) {
        weight[0] = beta * weight[0] + (1 - beta);
        weight[1] = beta * beta * weight[1] + (1 - beta) * (1 - beta) / count;
      }
    });
  }
};

/// M = sum / weight + 1e-6 trace / d on the diagonal = C C^T (Cholesky), then C^-1 and T = (trace / d) M^-1.
/// The identity for all three where N_eff < 4d, M is not finite or C breaks down: the device decides.
struct PreconditionerFactor {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t d;
  const double *sum, *weight;
  double *c, *c_inverse;                           // d x d workspace
  float *inverse, *root_inverse, *root_inverse_t;  // d x d: T, C^-1, C^-T
  double* log_det_root;                            // 1: log det C
  int32_t* active;                                 // 1: 0 where it is the identity

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(sum, d * d);
    uses.reads(weight, 2);
    uses.writes({c, c_inverse}, d * d);
    uses.writes({inverse, root_inverse, root_inverse_t}, d * d);
    uses.writes(log_det_root, 1);
    uses.writes(active, 1);
  }

  EBM_HD int64_t work() const { return d * d * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const int64_t n = d;
    double *a = c, *b = c_inverse;
    const double w = weight[0];
    const bool enough = w > 0 && w * w >= 4 * static_cast<double>(n) * weight[1];
    const double trace = team.sum(n, [=, this](int64_t i) { return sum[i * n + i] / w; });
    const double size = team.sum(n * n, [=, this](int64_t i) { return fabs(sum[i] / w); });
    bool good = enough && is_finite(size) && trace > 0;
    team.each(n * n, [=, this](int64_t i) {
      a[i] = sum[i] / w + (i / n == i % n ? 1e-6 * trace / static_cast<double>(n) : 0);
    });
    double log_sum = 0;
    for (int64_t k = 0; k < n; ++k) {  // column k of C, then the rest of the matrix without it
      const double pivot = a[k * n + k];
      good = good && pivot > 0;
      if (!good) break;
      log_sum += log(pivot) / 2;
      const double root = sqrt(pivot);
      const int64_t left = n - k - 1;
      team.each(left, [=](int64_t i) { a[(k + 1 + i) * n + k] /= root; });  // the diagonal keeps the pivots
      team.each(left * left, [=](int64_t item) {
        const int64_t i = k + 1 + item / left, j = k + 1 + item % left;
        a[i * n + j] -= a[i * n + k] * a[j * n + k];
      });
    }
    // C^-1 by columns: forward substitution of each unit vector
    if (good) {
      team.each(n, [=](int64_t j) {
        for (int64_t i = 0; i < n; ++i) {
          double x = i == j ? 1 : 0;
          for (int64_t k = j; k < i; ++k) x -= a[i * n + k] * b[k * n + j];
          b[i * n + j] = i < j ? 0 : x / sqrt(a[i * n + i]);
        }
      });
    } else {
      team.each(n * n, [=](int64_t i) { b[i] = i / n == i % n ? 1 : 0; });
    }
    const double mean = good ? trace / static_cast<double>(n) : 1;
    team.each(n * n, [=, this](int64_t item) {
      const int64_t i = item / n, j = item % n;
      double x = 0;
      for (int64_t k = i > j ? i : j; k < n; ++k) x += b[k * n + i] * b[k * n + j];
      inverse[item] = static_cast<float>(mean * x);
      root_inverse[item] = static_cast<float>(b[item]);
      root_inverse_t[j * n + i] = static_cast<float>(b[item]);
    });
    team.single([&] {
      *log_det_root = good ? log_sum : 0;
      *active = good ? 1 : 0;
    });
  }
};

}  // namespace ebm
