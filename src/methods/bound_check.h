// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "bounds/entropy_bound.h"
#include "train/method.h"

namespace ebm {

/// Holds an entropy bound against the entropy itself, 1/2 log det J^T J, at the same B latent points each time.
class BoundCheck {
 public:
  BoundCheck(Kernels& kernels, Network& generator, const TrainingOptions& training,
             const EntropyBoundOptions& options);

  /// The share of samples whose bound exceeds the entropy. `state`: that of the bound in training, or null.
  double share_above(const Buffer<double>* state);

 private:
  Kernels& kernels_;
  std::unique_ptr<EntropyBound> bound_, entropy_;
  Tensor z_, v0_, p0_, e_;
};

}  // namespace ebm
