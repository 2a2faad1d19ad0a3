// SPDX-License-Identifier: MIT
// What ranks, processes that train one model together (src/parallel), ask of each other: of a device's memory, where it
// is an operation of the device's queue, or of the host's.
#pragma once

#include "core/view.h"

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

/// The ranks on the host's memory: every call waits for all of them.
class HostRanks : public Communicator {
 public:
  /// Throws Error where another rank has told that it fails. Waits for nothing.
  virtual void listen() = 0;
  /// How many seconds a rank waits for the others before it takes them to be dead.
  virtual double time_limit() const = 0;
};

}  // namespace ebm
