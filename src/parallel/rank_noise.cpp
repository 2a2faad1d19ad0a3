// SPDX-License-Identifier: MIT
#include "parallel/rank_noise.h"

namespace ebm {

void require_noise_for(const RankRows& rows, int64_t columns) {
  if (rows.ranks == 1 || rows.rows * columns % 4 == 0) return;
  throw Error(std::to_string(rows.rows) + " rows of " + std::to_string(columns) + " numbers for each of " +
              std::to_string(rows.ranks) +
              " ranks: noise is drawn in fours; give each rank a number of rows that is a multiple of 4");
}

void rank_noise(Kernels& kernels, const Noise& noise, const RankRows& rows, View out) {
  if (rows.ranks == 1) return kernels.noise(noise, out);
  for (int64_t row = 0; row < out.rows; row += rows.rows) {
    Noise part = noise;
    part.first = rows.in_batch(row) * out.columns();
    kernels.noise(part, out.row_range(row, rows.rows));
  }
}

}  // namespace ebm
