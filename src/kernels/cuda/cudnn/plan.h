// SPDX-License-Identifier: MIT
// How one pass of a convolution will be done: by cuDNN, or in tiles of the project's own (tiled.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda/alignment.h"
#include "kernels/cuda/context.h"
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

/// Which GPU plans are for: the one of a handle, or, without a handle, one that `properties` describes.
struct PlanTarget {
  cudnnHandle_t handle = nullptr;
  const Descriptor* properties = nullptr;
};

/// Does a plan give the same bits each time it runs?
enum class Bits { same, any };

class Plan {
 public:
  /// What runs it.
  class Way {
   public:
    virtual ~Way() = default;
    virtual void run(cudnnHandle_t handle, void* x, void* weight, void* y, void* workspace) const = 0;
  };
  Plan(const char* library, std::string name, int64_t workspace_bytes, std::shared_ptr<const Way> way)
      : library_(library), name_(std::move(name)), workspace_bytes_(workspace_bytes), way_(std::move(way)) {}

  /// "cuDNN" or "CUTLASS".
  const char* library() const { return library_; }
  /// cuDNN's engine with the settings of its knobs, "engine 67, knobs 2=1 13=0", or the tiles, "tiles 64x64x32, warps
  /// 32x32, 3 stages, split 2". With the version of cuDNN, the GPU and the request it tells the plan.
  const std::string& name() const { return name_; }
  int64_t workspace_bytes() const { return workspace_bytes_; }

  /// Queues the pass on the handle's stream. Throws Error.
  void run(cudnnHandle_t handle, void* x, void* weight, void* y, void* workspace) const {
    way_->run(handle, x, weight, y, workspace);
  }

 private:
  const char* library_;
  std::string name_;
  int64_t workspace_bytes_;
  std::shared_ptr<const Way> way_;
};

/// PlanWish::most for all proposals.
inline constexpr size_t every_plan = SIZE_MAX;

/// Which proposals are wanted.
struct PlanWish {
  Bits bits = Bits::same;
  size_t most = 1;        ///< how many
  std::string name = {};  ///< only the one of this Plan::name(); empty: any
  int64_t max_workspace = arena_bytes;
};

/// The plans that cuDNN proposes and that keep this project's promises, best first: true float32 for Precision::full
/// and tf32x3, sums in float32, no compilation at run time, and what `wish` says. `cudnn` must outlive them. Throws
/// Error if there is none, unless one by name was wanted.
std::vector<Plan> propose_plans(const Cudnn& cudnn, const PlanTarget& target, const PlanRequest& request,
                                const PlanWish& wish = {});

/// The plans in tiles of the project's own in the request's precision, the first best, that are within wish.most and
/// of wish.name; they run on the context's stream. All give the same bits each time.
std::vector<Plan> tiled_plans(const Context& context, const PlanRequest& request, const PlanWish& wish = {});

/// Both: those in tiles first for Precision::tf32x3, and last in true float32. Throws Error as propose_plans, and
/// where Precision::tf32x3 cannot be had.
std::vector<Plan> all_plans(const Cudnn& cudnn, cudnnHandle_t handle, const Context& context,
                            const PlanRequest& request, const PlanWish& wish = {});

}  // namespace ebm::cuda
