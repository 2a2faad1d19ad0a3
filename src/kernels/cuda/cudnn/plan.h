// SPDX-License-Identifier: MIT
// How cuDNN will do one pass of a convolution.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn/descriptor.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

using Pass = ConvolutionPass;

/// The workspace that all plans share (convolution.cpp); plans that need more are not made. tests/emulation/
/// cudnn/plans_test.cu holds that every convolution of the paper's networks has a plan within it.
inline constexpr int64_t arena_bytes = int64_t{512} << 20;

/// What a plan is for.
struct PlanRequest {
  Pass pass;
  ConvolutionShape shape;
  Write mode = Write::overwrite;  ///< of the weight's gradient
  Precision precision = Precision::full;
  int64_t alignment = 4;  ///< of all three arrays, in bytes

  /// Of all three arrays, the weight's gradient too: cuDNN 9 has no way from images of bfloat16 to a float32
  /// one.
  Type type() const { return activation_type(precision); }
  /// The same as numbers, for a map.
  std::array<int64_t, 15> key() const;
};
/// What the passes of kernels/kernels.h are to a plan.
PlanRequest request_of(const ConvolutionForward& pass);
PlanRequest request_of(const ConvolutionBackwardData& pass);
PlanRequest request_of(const ConvolutionBackwardWeight& pass);

/// The same in words, on one line.
std::string to_string(const PlanRequest& request);

/// The alignment in bytes that all three arrays have, at most the 16 that cuDNN's best kernels need.
int64_t common_alignment(const void* a, const void* b, const void* c);

/// Which GPU plans are for: the one of a handle, or, without a handle, one that `properties` describes.
struct PlanTarget {
  cudnnHandle_t handle = nullptr;
  const Descriptor* properties = nullptr;
};

/// Does a plan give the same bits each time it runs?
enum class Bits { same, any };

class PassGraph;

class Plan {
 public:
  /// cuDNN's engine with the settings of its knobs: "engine 67, knobs 2=1 13=0". With the version of cuDNN,
  /// the GPU and the request it tells the plan.
  const std::string& name() const { return name_; }
  int64_t workspace_bytes() const { return workspace_bytes_; }

  /// Queues the pass on the handle's stream. Throws Error.
  void run(cudnnHandle_t handle, void* x, void* weight, void* y, void* workspace) const;

 private:
  friend class PassGraph;
  Plan(std::shared_ptr<const PassGraph> graph, Descriptor configuration, Descriptor plan, std::string name);

  // A plan refers to what it is made of.
  std::shared_ptr<const PassGraph> graph_;
  Descriptor configuration_, plan_;
  std::string name_;
  int64_t workspace_bytes_;
};

/// PlanWish::most for all of cuDNN's proposals.
inline constexpr size_t every_plan = SIZE_MAX;

/// Which of cuDNN's proposals are wanted.
struct PlanWish {
  Bits bits = Bits::same;
  size_t most = 1;        ///< how many
  std::string name = {};  ///< only the one of this Plan::name(); empty: any
  int64_t max_workspace = arena_bytes;
};

/// The plans that cuDNN proposes and that keep this project's promises, best first: true float32 for
/// Precision::full, sums in float32, no compilation at run time, and what `wish` says. `cudnn` must outlive
/// them. Throws Error if there is none, unless one by name was wanted.
std::vector<Plan> propose_plans(const Cudnn& cudnn, const PlanTarget& target, const PlanRequest& request,
                                const PlanWish& wish = {});

}  // namespace ebm::cuda
