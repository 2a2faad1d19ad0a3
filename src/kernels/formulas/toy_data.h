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

}  // namespace ebm
