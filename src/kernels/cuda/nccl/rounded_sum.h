// SPDX-License-Identifier: MIT
// The sum of an array over ranks whose numbers travel as bfloat16 (parallel/rank_sum.h), r being the rounding:
//   sum_i = r( sum over nodes of r( sum over the node's GPUs of x_i ) )
// Inside a node links are fast and NCCL sums float32. Between nodes each GPU has its part of the array: it sends each of
// the N others of its place a piece of it, sums the N pieces that it gets, in float64 in the nodes' order, and all get all
// pieces. NCCL's own sums of bfloat16 would be rounded at every hop. On one node each rank counts as a node: the same
// numbers as over MPI.
#pragma once

#include "kernels/cuda/context.h"
#include "kernels/cuda/nccl/group.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

class RoundedSum {
 public:
  /// Memory for up to `count` numbers. `inside` is null where this rank counts as a node. All must outlive this.
  RoundedSum(Kernels& kernels, const Nccl& nccl, const NcclGroup* inside, const NcclGroup& between,
             int64_t count);

  int64_t capacity() const { return capacity_; }
  /// Queues values = their sum, on the stream that `kernels` queues on. At most capacity() numbers.
  void run(View values, cudaStream_t stream);

 private:
  /// How an array is divided: `inside` parts, each of `between` pieces.
  struct Division {
    int64_t piece, part, whole;
  };
  Division divide(int64_t count) const;
  int64_t inside() const { return inside_ == nullptr ? 1 : inside_->size(); }
  void sum_between(const Division& d, cudaStream_t stream);

  Kernels& kernels_;
  const Nccl& nccl_;
  const NcclGroup* inside_;
  const NcclGroup& between_;
  int64_t capacity_;
  DeviceBlock whole_, own_, received_, sum_;
};

}  // namespace ebm::cuda
