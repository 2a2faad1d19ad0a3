// SPDX-License-Identifier: MIT
// The two-dimensional data sets of section 5.2, drawn on the device: point i of a batch is a function of its
// noise and of its place in the batch, which is that of all ranks.
#pragma once

#include "kernels/formulas/rank_rows.h"

namespace ebm {

enum class ToyDataset { gaussians25, swiss_roll, two_moons };

/// The 25 Gaussians: centres (2 i, 2 j) / 2.828 for i, j in -2 .. 2, standard deviation 0.05 / 2.828.
inline constexpr float gaussians25_scale = 2.828f;
inline constexpr float gaussians25_deviation = 0.05f;
EBM_HD inline float gaussians25_centre(int64_t i) {
  return 2.0f * static_cast<float>(i - 2) / gaussians25_scale;
}

/// x[i] from normals[i] and uniforms[i]. At batches that are a multiple of 25 every mode has the same share,
/// as in the authors' code. The swiss roll is sklearn's make_swiss_roll(noise = 1)[:, [0, 2]] / 5, the moons
/// make_moons(noise = 0.1), a set of both for each step.
struct ToyBatch {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns = 1;  // one task a point
  RankRows share;
  ToyDataset dataset;
  const float *normals, *uniforms;  // rows x 2
  float* x;                         // rows x 2

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(normals, 2 * rows);
    if (dataset == ToyDataset::swiss_roll) uses.reads(uniforms, 2 * rows);
    uses.writes(x, 2 * rows);
  }

  EBM_HD void operator()(int64_t i, int64_t) const {
    const float n0 = normals[2 * i], n1 = normals[2 * i + 1];
    constexpr float pi = 3.14159265f;
    float a = 0, b = 0;
    if (dataset == ToyDataset::gaussians25) {
      const int64_t mode = share.in_batch(i) % 25;
      constexpr float sigma = gaussians25_deviation / gaussians25_scale;
      a = gaussians25_centre(mode / 5) + sigma * n0;
      b = gaussians25_centre(mode % 5) + sigma * n1;
    } else if (dataset == ToyDataset::swiss_roll) {
      const float t = 1.5f * pi * (1 + 2 * uniforms[2 * i]);
      a = (t * cosf(t) + n0) / 5;
      b = (t * sinf(t) + n1) / 5;
    } else {
      const int64_t outer = share.of_step() / 2, inner = share.of_step() - outer;
      const int64_t place = share.in_batch(i) % share.of_step();
      const bool is_outer = place < outer;
      const int64_t of = is_outer ? outer : inner, at = is_outer ? place : place - outer;
      const float angle = of > 1 ? pi * static_cast<float>(at) / static_cast<float>(of - 1) : 0;
      a = (is_outer ? cosf(angle) : 1 - cosf(angle)) + 0.1f * n0;
      b = (is_outer ? sinf(angle) : 0.5f - sinf(angle)) + 0.1f * n1;
    }
    x[2 * i] = a;
    x[2 * i + 1] = b;
  }
};

/// The density of a data set at (a, b), its noise `spread` times as wide. That of the swiss roll and the moons is an
/// integral over the curve, by the midpoint rule: `nodes` midpoints lie closer than the noise is wide. One node's part
/// of it; the sum over all is p.
struct ToyDensity {
  ToyDataset dataset;
  double spread = 1;

  EBM_HD double deviation() const {
    constexpr double of_gaussians = static_cast<double>(gaussians25_deviation) / gaussians25_scale;
    const double usual = dataset == ToyDataset::gaussians25  ? of_gaussians
                         : dataset == ToyDataset::swiss_roll ? 0.2
                                                             : 0.1;
    return spread * usual;
  }
  EBM_HD int64_t nodes() const { return dataset == ToyDataset::gaussians25 ? 25 : 256; }
  EBM_HD double part(int64_t node, double a, double b) const {
    constexpr double pi = 3.14159265358979323846;
    const double count = static_cast<double>(nodes());
    double x = 0, y = 0;
    if (dataset == ToyDataset::gaussians25) {
      x = gaussians25_centre(node / 5);
      y = gaussians25_centre(node % 5);
    } else if (dataset == ToyDataset::swiss_roll) {
      const double t = 1.5 * pi * (1 + 2 * (static_cast<double>(node) + 0.5) / count);
      x = t * cos(t) / 5;
      y = t * sin(t) / 5;
    } else {
      const bool outer = node % 2 == 0;
      const double angle = pi * (static_cast<double>(quotient32(node, 2)) + 0.5) / (count / 2);
      x = outer ? cos(angle) : 1 - cos(angle);
      y = outer ? sin(angle) : 0.5 - sin(angle);
    }
    const double dx = a - x, dy = b - y, variance = deviation() * deviation();
    return exp(-(dx * dx + dy * dy) / (2 * variance)) / (2 * pi * variance * count);
  }
};

/// The square of the paper's pictures, [-4, 4]^2.
inline constexpr double plane_lo = -4, plane_hi = 4;

/// Points near the data, near = data + deviation sqrt(spread^2 - 1) normals, and points of the square. With the data
/// themselves, as many of each, they have the density of ToyProposalDensity.
struct ToyProposal {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns = 2;
  ToyDensity widened;                      // spread > 1
  const float *data, *normals, *uniforms;  // rows x 2
  float *near_data, *in_square;            // rows x 2

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({data, normals, uniforms}, 2 * rows);
    uses.writes({near_data, in_square}, 2 * rows);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = 2 * row + column;
    const double spread = widened.spread, more = widened.deviation() * sqrt(1 - 1 / (spread * spread));
    near_data[i] = static_cast<float>(data[i] + more * normals[i]);
    in_square[i] = static_cast<float>(plane_lo + (plane_hi - plane_lo) * static_cast<double>(uniforms[i]));
  }
};

/// log q(x_i), q = (p + p_widened + 1 / the square's area) / 3, p the data's density.
struct ToyProposalDensity {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;
  ToyDensity density, widened;
  const float* x;  // rows x 2
  double* log_q;   // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, 2 * rows);
    uses.writes(log_q, rows);
  }

  EBM_HD int64_t work() const { return 16 * density.nodes(); }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const double a = x[2 * row], b = x[2 * row + 1];
    const double sum = team.sum(density.nodes(), [=, this](int64_t node) {
      return density.part(node, a, b) + widened.part(node, a, b);
    });
    constexpr double side = plane_hi - plane_lo;
    const bool inside = a >= plane_lo && a <= plane_hi && b >= plane_lo && b <= plane_hi;
    team.single([&] { log_q[row] = log((sum + (inside ? 1 / (side * side) : 0)) / 3); });
  }
};

}  // namespace ebm
