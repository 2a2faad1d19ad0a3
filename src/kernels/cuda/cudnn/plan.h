// SPDX-License-Identifier: MIT
// How cuDNN will do one pass of a convolution.
#pragma once

#include <array>
#include <deque>

#include "kernels/cuda/cudnn/descriptor.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

/// The three passes of a convolution: they compute y, x_bar and weight_bar.
enum class Pass { forward, backward_data, backward_weight };

/// What a plan is for.
struct PlanRequest {
  Pass pass;
  ConvolutionShape shape;
  Write mode = Write::overwrite;  ///< of the weight's gradient
  Precision precision = Precision::full;
  int64_t alignment = 4;  ///< of all three arrays, in bytes

  /// The same as numbers, for a map.
  std::array<int64_t, 15> key() const;
};

/// Which GPU plans are for: the one of a handle, or, without a handle, one that `properties` describes.
struct PlanTarget {
  cudnnHandle_t handle = nullptr;
  const Descriptor* properties = nullptr;
};

class Plan {
 public:
  /// Takes the first of cuDNN's proposals that keeps what this project promises: true float32 for
  /// Precision::full, the same bits each time, no compilation at run time, a workspace of moderate size.
  /// `cudnn` must outlive the plan. Throws Error if there is none.
  Plan(const Cudnn& cudnn, const PlanTarget& target, const PlanRequest& request);

  int64_t workspace_bytes() const { return workspace_bytes_; }
  /// cuDNN's number of the engine it chose.
  int64_t engine() const { return engine_; }

  /// Queues the pass on the handle's stream. Throws Error.
  void run(cudnnHandle_t handle, float* x, float* weight, float* y, void* workspace) const;

 private:
  Descriptor& keep(Descriptor descriptor) { return parts_.emplace_back(std::move(descriptor)); }
  bool try_configuration(const PlanTarget& target, Descriptor configuration, Precision precision);

  const Cudnn* cudnn_;
  std::deque<Descriptor> parts_;  // what the plan is made of, and last the plan itself
  int64_t workspace_bytes_ = 0;
  int64_t engine_ = -1;
};

}  // namespace ebm::cuda
