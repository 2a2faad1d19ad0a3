// SPDX-License-Identifier: MIT
// Which rank has which GPU of which node, and what groups that makes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/communicator.h"

namespace ebm::cuda {

/// A rank's GPU: its identity (cudaDeviceProp::uuid, other for each GPU and each part of one) and its node's.
struct RankPlace {
  std::string gpu, node;
};

/// The place of this process with GPU `device`. Throws Error.
RankPlace own_place(int device);

/// The places of all ranks. Throws GpuOfTwo where two have one GPU.
std::vector<RankPlace> all_places(HostRanks& hosts, const RankPlace& own);

/// Some ranks, in rising order; this one is number `own` of them.
struct RankGroup {
  std::vector<int64_t> ranks;
  int64_t own = 0;

  int64_t size() const { return static_cast<int64_t>(ranks.size()); }
};

RankGroup group_of_all(const HostRanks& hosts);

/// The two steps of an exchange: among the GPUs of a node, then of each GPU with those of the same place in other nodes.
/// On one node, or where nodes have different numbers of GPUs, the first step is of this rank alone.
struct RankGroups {
  RankGroup inside, between;
};
RankGroups groups_of(const std::vector<RankPlace>& places, int64_t rank);

}  // namespace ebm::cuda
