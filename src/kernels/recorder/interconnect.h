// SPDX-License-Identifier: MIT
// What GPUs do together, and a model of its time from their links alone: R = N G ranks, G GPUs in each of N nodes; a
// GPU's way to the others of its node takes b bytes a second each way, a node's way to other nodes B; a hop inside
// takes a seconds, one between nodes A, a call c in any case. S bytes that all end with take, as NCCL has its
// algorithms (NVIDIA/nccl, src/graph/tuning.cc, ncclTopoTuneModel; Thakur et al. 2005 for rings, Sanders et al. 2009
// for two trees at once):
//   all-reduce, ring  2 (R-1)/R S / min(b, B) + 2 (R-N) a + 2 (N-1) A
//   - trees           2 S / min(b, B) + 2 (G-1) a + 2 ceil(log2 N) A,   where there are several nodes
//   all-gather, ring  (R-1)/R S / min(b, B) + (R-N) a + (N-1) A;  or an all-reduce of what is zero but for a rank's own
//                     block, which is exact, where that is quicker: a few bytes of many ranks
// and c each, the quicker one of two. Numbers that travel as bfloat16 (parallel/rank_sum.h) are S / 2 bytes:
//   one node          the ring of S / 2
//   several           2 (G-1)/G S / b + 2 (G-1) a inside, in float32, and 2 (N-1)/N (S/2) / B + 2 (N-1) A between
// since NCCL's own sums of bfloat16 are rounded at every hop.
#pragma once

#include <cstdint>

#include "core/bfloat16.h"

namespace ebm {

/// One collective call.
struct Collective {
  enum class Kind { none, all_reduce, all_gather };
  Kind kind = Kind::none;
  int64_t bytes = 0;            ///< S: of the array that all end with
  Type travel = Type::float32;  ///< as which the numbers of an all-reduce travel
};

struct Link {
  double bandwidth;    ///< bytes a second each way
  double hop_seconds;  ///< of a message's first byte
};

struct Interconnect {
  int64_t gpus = 1, nodes = 1;  ///< GPUs in each node
  Link inside;                  ///< of a GPU to those of its node
  Link between;                 ///< of a node to others
  double call_seconds = 0;      ///< of any call

  int64_t ranks() const { return gpus * nodes; }
  double seconds(const Collective& call) const;
};

}  // namespace ebm
