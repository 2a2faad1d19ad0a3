// SPDX-License-Identifier: MIT
// Ranks: processes, a device each, that train one model together. Each has its share of every batch; the gradients
// are summed over all, and what is no sum over samples is computed of all ranks' rows (shared_rows.h), so that all
// make the same steps.
//
// The order of calls is that in which the host queues work, and no rank decides it by itself: what is queued hangs
// on options and on the iteration's number alone. Of Kernels::concurrently the first piece's come before the second's,
// also on a device that runs both at once (kernels/cuda/nccl/ranks.h).
#pragma once

#include "kernels/communicator.h"
#include "kernels/formulas/rank_rows.h"

namespace ebm {

/// A rank that is alone.
class OneRank final : public Communicator {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }
  void all_reduce(View, Type) override {}
  void all_gather(void*, int64_t) override {}
  void broadcast(void*, int64_t) override {}
  int64_t max(int64_t number) override { return number; }
};

/// How many ranks share a batch.
inline int64_t count_of(const Communicator* ranks) {
  return ranks == nullptr ? 1 : ranks->size();
}

/// A rank's rows of batches of which it has `rows` in each step.
inline RankRows rank_rows(const Communicator* ranks, int64_t rows) {
  if (ranks == nullptr) return {.rows = rows};
  return {.rows = rows, .ranks = ranks->size(), .rank = ranks->rank()};
}

}  // namespace ebm
