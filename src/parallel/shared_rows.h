// SPDX-License-Identifier: MIT
// What hangs on a whole batch and is no sum over its samples (a hinge on a mean, importance weights, a permutation):
// each rank gathers the numbers of all ranks' rows, a few a sample, and computes the same from them. So a formula is
// the same for one rank and for several, and any number of ranks takes its sums in the same order.
#pragma once

#include "kernels/kernels.h"
#include "parallel/communicator.h"

namespace ebm {

/// An array of which each rank has some numbers of each of its `parts`: of a part, those of rank 0, of rank 1, ...
/// A rank that is alone has no array beside its own: nothing is copied then.
template <class T>
class SharedRows {
 public:
  SharedRows() = default;
  /// `count`: the numbers of this rank in each part. `ranks` may be null.
  SharedRows(Kernels& kernels, Communicator* ranks, int64_t count, int64_t parts = 1)
      : kernels_(&kernels), ranks_(ranks), count_(count), parts_(parts) {
    if (!alone()) all_ = Buffer<T>(kernels, parts * count * ranks->size());
  }

  /// Queues the gathering of `own` (parts x count); null stays null.
  const T* gather(const T* own) {
    if (alone() || own == nullptr) return own;
    for (int64_t i = 0; i < parts_; ++i) {
      kernels_->copy(place(i), own + i * count_, bytes());
      ranks_->all_gather(all_.data() + i * count_ * ranks_->size(), bytes());
    }
    return all_.data();
  }
  /// Where a formula that computes all ranks' numbers puts them; take() then queues the copy of this rank's into
  /// `own` (parts x count).
  T* all_or(T* own) const { return alone() ? own : all_.data(); }
  void take(T* own) const {
    if (alone()) return;
    for (int64_t i = 0; i < parts_; ++i) kernels_->copy(own + i * count_, place(i), bytes());
  }

 private:
  bool alone() const { return count_of(ranks_) == 1; }
  int64_t bytes() const { return count_ * static_cast<int64_t>(sizeof(T)); }
  /// Of this rank's numbers of a part.
  T* place(int64_t part) const { return all_.data() + (part * ranks_->size() + ranks_->rank()) * count_; }

  Kernels* kernels_ = nullptr;
  Communicator* ranks_ = nullptr;
  int64_t count_ = 0, parts_ = 1;
  Buffer<T> all_;
};

}  // namespace ebm
