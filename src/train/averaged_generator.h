// SPDX-License-Identifier: MIT
// The batch norms of a generator whose parameters are an average. What the trained parameters' layers gave says nothing
// of what the average's give: their channels vary less, and the samples with them.
#pragma once

#include <memory>

#include "train/method.h"

namespace ebm {

class AveragedGenerator {
 public:
  /// Allocates what settle() needs, if `method` has a generator with an average and batch norms. `method` must outlive it.
  explicit AveragedGenerator(Method& method);

  /// Gives the average's batch norms running statistics of its own: those that `forwards` batches of one and the same
  /// latent points leave. To be called before the average is measured or kept, with the number of iterations done: their
  /// learner's next step undoes it.
  void settle(int64_t iteration);

  /// 0.9^100 of what stood there before is left.
  static constexpr int64_t forwards = 100;

 private:
  Method& method_;
  Learner* learner_ = nullptr;  // null: there is nothing to do
  std::unique_ptr<Trace> trace_;
  Tensor z_, x_;           // a batch
  Buffer<uint64_t> draw_;  // the number of the draw: 0
  int64_t settled_ = -1;   // when it was done last
};

}  // namespace ebm
