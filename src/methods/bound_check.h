// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "bounds/entropy_bound.h"
#include "linalg/gram.h"
#include "train/method.h"

namespace ebm {

/// Holds an entropy bound against the entropy itself, 1/2 log det J^T J, at the same latent points each time.
class BoundCheck {
 public:
  /// At `points` of them, a function of the seed. `generator` must outlive it.
  BoundCheck(Kernels& kernels, Network& generator, uint64_t seed, int64_t points,
             const EntropyBoundOptions& options);

  /// The share of samples whose bound exceeds the entropy. `state`: that of the bound in training, or null.
  double share_above(const Buffer<double>* state);

 private:
  Kernels& kernels_;
  std::unique_ptr<EntropyBound> bound_;
  GeneratorJacobian jacobian_;
  ExactGram entropy_;
  Tensor z_, v0_, p0_, e_;
};

}  // namespace ebm
