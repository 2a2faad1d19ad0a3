// SPDX-License-Identifier: MIT
// Ranks: processes, a device each, that train one model together. Each has its share of every batch; the gradients
// are summed over all, and what is no sum over samples is computed of all ranks' rows (shared_rows.h), so that all
// make the same steps.
//
// The order of calls is that in which the host queues work, and no rank decides it by itself: what is queued hangs
// on options and on the iteration's number alone. Kernels::concurrently on a CPU does one piece after the other, as
// its caller names them. A device that runs both at once needs an order of its own for each, a communicator a lane.
#pragma once

#include "core/view.h"
#include "kernels/formulas/rank_rows.h"

namespace ebm {

/// One rank's way to the others. Whoever takes a Communicator* takes null for a rank that is alone. All ranks make
/// the same calls in the same order, with as many values; all throw Error where a rank fails or does not answer.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int64_t rank() const = 0;  ///< 0 .. size() - 1
  virtual int64_t size() const = 0;
  /// Queues values = the sum of all ranks' `values`, the same bits on each of them and each time. Numbers travel as
  /// `travel` says: rounded to bfloat16 they are half as many bytes (rank_sum.h has the sum and its error).
  virtual void all_reduce(View values, Type travel) = 0;
  /// Queues: `blocks`, size() blocks of `bytes` on the device, becomes the blocks of ranks 0, 1, ...; each brings its
  /// own in its place.
  virtual void all_gather(void* blocks, int64_t bytes) = 0;
  /// Queues: rank 0's `bytes` on the device become those of all.
  virtual void broadcast(void* values, int64_t bytes) = 0;
  /// The largest of all ranks' numbers, on the host: waits for all.
  virtual int64_t max(int64_t number) = 0;
};

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
