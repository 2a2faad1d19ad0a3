// SPDX-License-Identifier: MIT
// The ranks of several GPUs, over NCCL (Kernels::meet): operations of the streams that work is queued on.
//
// All of a rank's are in one order, that in which its host queues them, and all ranks have the same: an operation on
// one lane waits, on the GPU, for the last one on the other lane (CudaBase::begin_collective). So no two of a GPU are
// ever on their way at once, and no rank can wait in one for a rank that waits in another. A communicator for each lane
// without such an order "might work" as long as both kernels fit on the GPU together, says NCCL's user guide ("Using
// multiple NCCL communicators concurrently"). What it would gain is little: E's sum stands beside G's samples, which ask
// for nothing unless batch norms are shared.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kernels/cuda/context.h"
#include "kernels/cuda/nccl/group.h"
#include "kernels/cuda/nccl/rounded_sum.h"

namespace ebm {
class CudaBase;
}

namespace ebm::cuda {

class NcclRanks final : public Communicator, public Watch {
 public:
  /// All ranks of `hosts` at once. Throws Error.
  NcclRanks(CudaBase& base, HostRanks& hosts, int device);
  /// The same with groups of the caller's.
  NcclRanks(CudaBase& base, HostRanks& hosts, int device, RankGroups groups);
  ~NcclRanks() override;
  NcclRanks(const NcclRanks&) = delete;
  NcclRanks& operator=(const NcclRanks&) = delete;

  int64_t rank() const override { return hosts_.rank(); }
  int64_t size() const override { return hosts_.size(); }
  void all_reduce(View values, Type travel) override;
  void all_gather(void* blocks, int64_t bytes) override;
  void broadcast(void* values, int64_t bytes) override;
  int64_t max(int64_t number) override;

  void look(double waited) override;

  /// Does `work` with operations that queue nothing, then provides what they will want: memory that no recording may
  /// allocate. So every rank asks NCCL for the same operations, though some may have to record twice.
  void rehearse(const std::function<void()>& work);

 private:
  template <class Queue>
  void queue(const Queue& operation);
  void provide(int64_t rounded);
  /// All ranks' device memory is reached.
  void try_out();
  [[noreturn]] void give_up(const std::string& reason);
  /// Null: not made.
  std::array<NcclGroup*, 3> groups() { return {&all_, inside_.get(), between_.get()}; }

  CudaBase& base_;
  HostRanks& hosts_;
  int device_;
  Nccl nccl_;
  RankGroups places_;
  NcclGroup all_;
  std::unique_ptr<NcclGroup> inside_, between_;  // of sums that travel rounded
  std::vector<std::unique_ptr<RoundedSum>>
      rounded_;  // of growing capacity; recorded graphs may hold the memory of any
  bool rehearsing_ = false;
  int64_t most_rounded_ = 0;  // numbers, of a rehearsal
  std::optional<std::string> given_up_;
};

}  // namespace ebm::cuda
