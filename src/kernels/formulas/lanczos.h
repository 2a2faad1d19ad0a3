// SPDX-License-Identifier: MIT
// The steps of Lanczos for one sample. src/linalg/lanczos.cpp puts them in order; docs/method.md derives
// them.
//
// alpha, beta, and the vectors q_j, u_j lie step by step: element (j, b) of sample b at j * B + b.
#pragma once

#include "kernels/formulas/sample_status.h"
#include "kernels/formulas/small_eigen.h"
#include "kernels/formulas/vectors.h"

namespace ebm {

/// Most pairs of one run: T_n and the Radau rule's T_{n+1} live in a thread's own memory.
inline constexpr int max_lanczos_pairs = 32;

/// q_1 = g / ||g||, or ones / sqrt(d) where g is 0 or not finite (then the sample is flagged).
struct LanczosStart {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  const float* g;  // B x d
  float* q;        // B x d
  int32_t* status;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(g, rows * d);
    uses.writes(q, rows * d);
    uses.writes(status, rows);
  }

  EBM_HD int64_t work() const { return 2 * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const double n = unit_start(team, d, g + row * d, q + row * d);
    team.single([&] { status[row] = n > 0 && is_finite(n) ? 0 : bad_sample; });
  }
};

/// From h = C^-1 J^T u_j / ||u_j||:  h -= sum_i q_i <q_i, h> over all i <= j, twice;  beta_j = ||u_j|| ||h||;
/// q_{j+1} = h / ||h||. Where beta_j <= 1e-6 alpha_j the Krylov space is exhausted: beta_j = 0, q_{j+1} = 0,
/// and the rows that follow count nothing.
struct LanczosNext {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d;
  int64_t j;      // 0, 1, ...
  float* q;       // (j + 2) B x d; the last B rows are written
  float* h;       // B x d, destroyed
  double* alpha;  // (j + 1) B
  double* beta;   // (j + 1) B; the last B are written
  int32_t* status;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(q, (j + 1) * rows * d);
    uses.writes(q + (j + 1) * rows * d, rows * d);
    uses.updates(h, rows * d);
    uses.reads(alpha + j * rows, rows);
    uses.touches(alpha + j * rows, rows);
    if (j > 0) uses.reads(beta + (j - 1) * rows, rows);
    uses.writes(beta + j * rows, rows);
    uses.touches(status, rows);
  }

  EBM_HD int64_t work() const { return 4 * (j + 1) * d; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float *x = h + row * d, *next = q + ((j + 1) * rows + row) * d;
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t i = 0; i <= j; ++i) {
        const float* qi = q + (i * rows + row) * d;
        const double along = dot(team, d, qi, x);
        team.each(d, [=](int64_t k) { x[k] = static_cast<float>(x[k] - along * qi[k]); });
      }
    }
    const double n = sqrt(dot(team, d, x, x));
    const double a = alpha[j * rows + row], sigma = sqrt(a);
    const bool alive = j == 0 || beta[(j - 1) * rows + row] > 0;
    const bool finite = is_finite(a) && is_finite(n);
    const bool goes_on = alive && finite && n > 1e-6 * sigma;
    team.each(d, [=](int64_t k) { next[k] = goes_on ? static_cast<float>(x[k] / n) : 0; });
    team.single([&] {
      beta[j * rows + row] = goes_on ? sigma * n : 0;
      if (!finite) alpha[j * rows + row] = 1;
      if (alive && !finite) status[row] |= bad_sample;
    });
  }
};

/// The quadrature of log with T_n, and the vectors of the gradient:
///   gauss = log det C + d/2 sum_i y_i log t_i
///           t_i: eigenvalues of T_n, y_i: squares of their vectors' first elements
///   radau = the same of T_n bordered by beta_n and a + delta, so that a is a node:
///           (T_n - a) (.., delta)^T = beta_n^2 e_n
///   u = sqrt(d) sum_j (T_n^-1 e_1)_j u_j,  v = sqrt(d) C^-T q_1
struct LanczosQuadrature {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, d, range;
  int pairs;                   // n <= max_lanczos_pairs
  double radau_factor;         // a = radau_factor * (smallest t_i)
  double radau_node;           // where above 0: a = radau_node, if that lies below the smallest t_i
  const double *alpha, *beta;  // n B
  const double* log_det_root;  // 1, or null: 0
  const float* images;         // n B x range: u_j
  const float* start;          // B x d: C^-T q_1
  double* coefficient;         // n B: c_j
  double *gauss, *radau, *theta1;
  float *u, *v;  // B x range, B x d
  int32_t* status;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(alpha, pairs * rows);
    uses.reads(beta, pairs * rows);
    uses.reads(log_det_root, 1);
    uses.reads(images, pairs * rows * range);
    uses.reads(start, rows * d);
    uses.writes(coefficient, pairs * rows);
    uses.writes({gauss, radau, theta1}, rows);
    uses.writes(u, rows * range);
    uses.writes(v, rows * d);
    uses.reads(status, rows);
    uses.touches(status, rows);
  }

  EBM_HD int64_t work() const { return pairs * range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    team.single([&] { solve(row); });
    const bool good = status[row] == 0;
    const double root = sqrt(static_cast<double>(d));
    float *x = u + row * range, *y = v + row * d;
    team.each(range, [=, this](int64_t i) {
      double sum = 0;
      for (int64_t j = 0; j < pairs; ++j) {
        const double c = coefficient[j * rows + row];  // 0: a row that counts nothing, whatever its image
        sum += c != 0 ? c * images[(j * rows + row) * range + i] : 0;
      }
      x[i] = good ? static_cast<float>(sum) : 0;
    });
    team.each(d, [=, this](int64_t i) { y[i] = good ? static_cast<float>(root * start[row * d + i]) : 0; });
  }

 private:
  /// All that is of size n.
  EBM_HD void solve(int64_t row) const {
    double node[max_lanczos_pairs + 1], off[max_lanczos_pairs + 1], weight[max_lanczos_pairs + 1];
    const auto load = [&](int m) {
      for (int i = 0; i < m; ++i) {
        node[i] = alpha[i * rows + row];
        off[i] = beta[i * rows + row];
      }
    };
    int m = 0;  // rows of T before the Krylov space was exhausted
    double trace = 0, last;
    do {
      trace += alpha[m * rows + row];
      last = beta[m * rows + row];
      ++m;
    } while (last > 0 && m < pairs);
    const double floor = floor_squared(trace);
    const double shift = log_det_root != nullptr ? *log_det_root : 0;
    const double half_d = static_cast<double>(d) / 2;

    load(m);
    tridiagonal_quadrature(m, node, off, weight);
    double smallest = node[0];
    for (int i = 1; i < m; ++i) smallest = node[i] < smallest ? node[i] : smallest;
    const bool low = !(smallest > floor);
    if (low) status[row] |= floor_hit;
    const bool bad = (status[row] & bad_sample) != 0;
    theta1[row] = bad ? 1 : smallest;
    gauss[row] = bad ? 0 : shift + half_d * log_sum(m, node, weight, floor);

    const double wanted = radau_node > 0 ? radau_node : radau_factor * smallest;
    const double a = wanted < 0.9999 * smallest ? wanted : 0.9999 * smallest;
    load(m);
    double pivot = node[0] - a;
    for (int i = 1; i < m; ++i) pivot = node[i] - a - off[i - 1] * off[i - 1] / pivot;
    const bool border = !low && last > 0;  // an exhausted space is exact: nothing to border
    node[m] = border ? a + last * last / pivot : 1;
    off[m - 1] = border ? last : 0;
    tridiagonal_quadrature(m + 1, node, off, weight);
    radau[row] = bad ? 0 : shift + half_d * log_sum(m + 1, node, weight, floor);

    // T c = sqrt(d) e_1 with T = L D L^T: forwards c is not known before the last pivot, so from below
    load(m);
    for (int i = m - 2; i >= 0; --i) node[i] -= off[i] * off[i] / node[i + 1];
    double c = sqrt(static_cast<double>(d)) / node[0];
    for (int i = 0; i < pairs; ++i) {
      coefficient[i * rows + row] = i < m && !low && !bad ? c : 0;
      if (i + 1 < m) c *= -off[i] / node[i + 1];
    }
  }

  EBM_HD static double log_sum(int n, const double* node, const double* weight, double floor) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += weight[i] * log(node[i] > floor ? node[i] : floor);
    return sum;
  }
};

}  // namespace ebm
