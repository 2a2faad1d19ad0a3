// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
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
  /// Ends what waits for other ranks, and returns at once. Nothing can be queued afterwards.
  ///
  /// ncclCommAbort tells the kernels first, which leave. Then it waits: for every recorded graph that holds an operation
  /// of this communicator, which the caller may own, and for the GPU, whose kernels of another communicator may wait
  /// too. So it has a thread, for which nobody waits but the destructor, for a while.
  void give_up() noexcept;

 private:
  const Nccl& nccl_;
  RankGroup group_;
  int device_;
  NcclCommunicator* communicator_ = nullptr;
  int exceptions_;
  std::shared_ptr<std::atomic<bool>> abort_ended_;  // or none began
};

}  // namespace ebm::cuda
