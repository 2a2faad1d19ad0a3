// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "kernels/cuda/nccl/library.h"
#include "kernels/cuda/nccl/places.h"

namespace ebm::cuda {

/// A communicator of NCCL's.
class NcclGroup {
 public:
  /// Of the ranks of `group` with this rank's GPU `device`. All ranks of `hosts` make one at the same time, each of the
  /// group that it is in. Waits for them. Throws Error.
  NcclGroup(const Nccl& nccl, HostRanks& hosts, RankGroup group, int device);
  /// Waits for the others' end, unless it was given up or an exception is on its way.
  ~NcclGroup();
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

  int64_t size() const { return group_.size(); }
  int64_t own() const { return group_.own; }
  /// Throws Error once it was given up.
  NcclCommunicator* get() const;
  /// What went wrong since, beside all calls; "" if nothing.
  std::string trouble() const;
  /// Ends what waits for other ranks. Nothing can be queued afterwards.
  void give_up() noexcept;

 private:
  const Nccl& nccl_;
  RankGroup group_;
  NcclCommunicator* communicator_ = nullptr;
  int exceptions_;
};

}  // namespace ebm::cuda
