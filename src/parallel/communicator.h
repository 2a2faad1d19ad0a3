// SPDX-License-Identifier: MIT
// Ranks: processes, a device each, that train one model together. Each has its share of every batch; their
// gradients are summed, so that all make the same steps.
#pragma once

#include "core/view.h"
#include "kernels/formulas/rank_rows.h"

namespace ebm {

/// One rank's way to the others. Whoever takes a Communicator* takes null for a rank that is alone.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int64_t rank() const = 0;  ///< 0 .. size() - 1
  virtual int64_t size() const = 0;
  /// Queues values = the sum of all ranks' `values`, the same bits on each of them. All ranks call it equally
  /// often, in the same order, with as many values.
  virtual void all_reduce(View values) = 0;
};

/// A rank that is alone.
class OneRank final : public Communicator {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }
  void all_reduce(View) override {}
};

/// A rank's rows of batches of which it has `rows` in each step.
inline RankRows rank_rows(const Communicator* ranks, int64_t rows) {
  if (ranks == nullptr) return {.rows = rows};
  return {.rows = rows, .ranks = ranks->size(), .rank = ranks->rank()};
}

}  // namespace ebm
