// SPDX-License-Identifier: MIT
// How ranks, processes that train one model together, share a batch.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

/// The rows of one rank: a batch is its steps one after another, a step the rows of rank 0, of rank 1, ...
/// So a number of a row that is a function of its place in the batch is the same for any number of ranks.
struct RankRows {
  int64_t rows;  ///< of one rank in one step
  int64_t ranks = 1, rank = 0;

  /// Of all ranks in one step.
  EBM_HD int64_t of_step() const { return ranks * rows; }
  /// Where the rank's own row, counted through its steps, stands in the batch.
  EBM_HD int64_t in_batch(int64_t row) const { return row / rows * of_step() + rank * rows + row % rows; }
};

}  // namespace ebm
