// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "kernels/cuda/context.h"
#include "kernels/cuda/plan_choices.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

/// Convolutions through cuDNN, which is opened at the first of them: a host without cuDNN trains networks
/// without convolutions. In cudnn/, or in no_cudnn/ where this was built without cuDNN's headers.
class Convolutions {
 public:
  explicit Convolutions(const Context& context);
  ~Convolutions();
  Convolutions(const Convolutions&) = delete;
  Convolutions& operator=(const Convolutions&) = delete;

  /// Plans that are made from now on are the fastest, by `choices` or else by timing. Before, they are
  /// cuDNN's first proposals that give the same bits each time.
  void tune(std::shared_ptr<PlanChoices> choices);

  /// Throw Error if cuDNN is missing or has no way to do it.
  void run(const ConvolutionForward& pass);
  void run(const ConvolutionBackwardData& pass);
  /// Returns where the gradient lies: pass.weight_bar, or for images of bfloat16 an array of bfloat16 that is
  /// good until the next call (then pass.mode is the caller's affair). cuDNN gives no other.
  ConstArray run(const ConvolutionBackwardWeight& pass);

  /// A plan cannot be made while the stream records, so a convolution that is first met then is noted and not
  /// recorded. This plans what was noted. True if there was any: then that recording is incomplete.
  bool plan_missing();
  /// Forgets what was noted.
  void forget_missing() noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace ebm::cuda
