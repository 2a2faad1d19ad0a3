// SPDX-License-Identifier: MIT
// The steps of the exact Gram matrix G = J^T J and what follows from it. src/linalg/gram.cpp puts them in
// order.
//
// `columns` below are J's columns J e_k as an operator gives them, tangent-major: row k*B + b is J_b e_k,
// `range` long.
#pragma once

#include "kernels/formulas/element.h"
#include "kernels/formulas/sample_status.h"
#include "kernels/formulas/small_eigen.h"
#include "kernels/formulas/vectors.h"

namespace ebm {

/// out[k*B + b] = e_k: all unit vectors for each of B samples (rows = d*B).
struct UnitVectors {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t batch;
  float* out;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    out[row * columns + column] = row / batch == column ? 1 : 0;
  }
};

/// Row i of a sample's G, up to the diagonal, and its mirror image. A team a row: rows = B*d.
struct GramMatrix {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d, range;
  const float* columns_of_j;  // d*B x range
  double* gram;               // B x d x d

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(columns_of_j, rows * range);
    uses.writes(gram, rows * d);
  }

  EBM_HD int64_t work() const { return range * (d + 1) / 2; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const int64_t n = d, batch = rows / n, b = row / n, i = row % n;
    double* g = gram + b * n * n;
    for (int64_t j = 0; j <= i; ++j) {
      const double ij =
          dot(team, range, columns_of_j + (i * batch + b) * range, columns_of_j + (j * batch + b) * range);
      team.single([=] { g[i * n + j] = g[j * n + i] = ij; });
    }
  }
};

/// Eigenvalues and vectors of G, log det, the largest singular value, and v of the smallest with <v, v0> >=
/// 0.
struct GramEigen {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  const double* gram;   // B x d x d
  const float* v0;      // B x d, or null
  double* work_matrix;  // B x d x d: its diagonal becomes the eigenvalues
  double* vectors;      // B x d x d: row i the eigenvector of eigenvalue i
  Rotation* rotations;  // B x (d + 1)
  float* v;             // B x d
  double *log_det, *s_max, *floor2, *norm_v0;
  int32_t* status;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(gram, rows * d * d);
    uses.reads(v0, rows * d);
    uses.writes({work_matrix, vectors}, rows * d * d);
    uses.touches(rotations, rows * (d + 1));
    uses.writes(v, rows * d);
    uses.writes({log_det, s_max, floor2, norm_v0}, rows);
    uses.writes(status, rows);
  }

  EBM_HD int64_t work() const { return 40 * d * d * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const int64_t n = d;
    const double* g = gram + row * n * n;
    double *a = work_matrix + row * n * n, *q = vectors + row * n * n;
    float* x = v + row * n;
    const double total = team.sum(n * n, [=](int64_t i) { return fabs(g[i]); });
    const bool good = is_finite(total);
    team.each(n * n, [=](int64_t i) { a[i] = good ? g[i] : (i / n == i % n ? 1 : 0); });
    const double trace = team.sum(n, [=](int64_t i) { return a[i * n + i]; });
    const double floor = floor_squared(trace);
    jacobi_eigen(team, n, a, q, rotations + row * (n + 1));

    int64_t smallest = 0;
    double largest = 0;
    for (int64_t i = 0; i < n; ++i) {
      if (a[i * n + i] < a[smallest * n + smallest]) smallest = i;
      if (a[i * n + i] > largest) largest = a[i * n + i];
    }
    const double log_sum = team.sum(n, [=](int64_t i) {
      const double value = a[i * n + i];
      return log(value > floor ? value : floor);
    });
    double along = 1, norm = 0;
    if (v0 != nullptr) {
      const float* start = v0 + row * n;
      along = team.sum(n, [=](int64_t i) { return q[smallest * n + i] * start[i]; });
      norm = sqrt(dot(team, n, start, start));
    }
    const double sign = along < 0 ? -1 : 1;
    team.each(n, [=](int64_t i) { x[i] = static_cast<float>(sign * q[smallest * n + i]); });
    const bool usable = is_finite(norm);
    team.single([&] {
      log_det[row] = good ? log_sum / 2 : 0;
      s_max[row] = sqrt(largest);
      floor2[row] = floor;
      norm_v0[row] = usable ? norm : 0;
      const bool low = !(a[smallest * n + smallest] > floor);
      status[row] = !good || !usable ? bad_sample : low ? floor_hit : 0;
    });
  }
};

/// u = J v and u0 = J v0 / ||v0||, from J's columns; theta = <u, u> (the eigenvalue's error would be the
/// larger one).
struct GramImages {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d, range;
  const float* columns_of_j;  // d*B x range
  const float *v, *v0;        // B x d; v0 may be null
  const double* norm_v0;
  const double *s_max, *floor2;
  float *u, *u0;         // B x range
  double *theta, *cond;  // B; cond = s_max / s1, with the floor under s1
  const int32_t* status;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(columns_of_j, rows * d * range);
    uses.reads(v, rows * d);
    uses.reads(v0, rows * d);
    uses.reads({norm_v0, s_max, floor2}, rows);
    uses.reads(status, rows);
    uses.writes({u, u0}, rows * range);
    uses.writes({theta, cond}, rows);
  }

  EBM_HD int64_t work() const { return 2 * d * range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const float *x = v + row * d, *x0 = v0 != nullptr ? v0 + row * d : nullptr;
    float *y = u + row * range, *y0 = u0 + row * range;
    const bool good = (status[row] & bad_sample) == 0;
    const double norm = norm_v0[row];
    const bool start = x0 != nullptr && norm > 0;
    team.each(range, [=, this](int64_t i) {
      double sum = 0, sum0 = 0;
      for (int64_t k = 0; k < d; ++k) {
        const double column = columns_of_j[(k * rows + row) * range + i];
        sum += column * x[k];
        if (start) sum0 += column * x0[k];
      }
      y[i] = good ? static_cast<float>(sum) : 0;
      y0[i] = good && start ? static_cast<float>(sum0 / norm) : 0;
    });
    const double squared = dot(team, range, y, y);
    team.single([&] {
      theta[row] = good ? squared : 1;
      cond[row] = good ? s_max[row] / sqrt(squared > floor2[row] ? squared : floor2[row]) : 1;
    });
  }
};

/// G^-1 from the eigenvalues; not finite where G is singular.
struct GramInverse {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  const double *values, *vectors;  // B x d x d, as GramEigen leaves them
  double* inverse;                 // B x d x d

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(values, rows * d * d);
    uses.reads(vectors, rows * d * d);
    uses.writes(inverse, rows * d * d);
  }

  EBM_HD int64_t work() const { return d * d * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const double *a = values + row * d * d, *q = vectors + row * d * d;
    double* out = inverse + row * d * d;
    team.each(d * d, [=, this](int64_t item) {
      const int64_t i = item / d, j = item % d;
      double sum = 0;
      for (int64_t k = 0; k < d; ++k) sum += q[k * d + i] * q[k * d + j] / a[k * d + k];
      out[item] = sum;
    });
  }
};

/// out[k*B + b] = J_b G_b^-1 e_k (rows = d*B): d log det = sum_k <J G^-1 e_k, dJ e_k>. Zero for a flagged
/// sample: it has no gradient.
struct GramCotangents {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns, d;
  const float* columns_of_j;  // d*B x columns
  const double* inverse;      // B x d x d
  const int32_t* status;
  float* out;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(columns_of_j, rows * columns);
    uses.reads(inverse, rows * d);
    uses.reads(status, rows / d);
    uses.writes(out, rows * columns);
  }

  bool aligned() const { return on_16_bytes(columns_of_j, out); }
  EBM_HD float* output() const { return out; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    const int64_t batch = rows / d, b = e.row % batch, k = e.row / batch;
    auto sum = as_double(typename E::Value(0));
    for (int64_t j = 0; j < d; ++j) {
      sum = sum + as_double(e.in_row(columns_of_j, j * batch + b)) * inverse[(b * d + j) * d + k];
    }
    return status[b] == 0 ? as_float(sum) : 0;
  }
};

}  // namespace ebm
