// SPDX-License-Identifier: MIT
#include <utility>

#include "kernels/cuda/cudnn/plan.h"
#include "kernels/cuda/tiled.h"

namespace ebm::cuda {

namespace {

class TiledPlan final : public Plan::Way {
 public:
  TiledPlan(const TiledWay<TiledConvolution>& way, const ConvolutionShape& shape, const Context& context)
      : way_(way), shape_(shape), context_(context) {}

  void run(cudnnHandle_t, void* x, void* weight, void* y, void* workspace) const override {
    way_.kernel->run({.stream = context_.stream(), .workspace = workspace, .split = way_.split}, shape_,
                     static_cast<float*>(x), static_cast<float*>(weight), static_cast<float*>(y));
  }

 private:
  TiledWay<TiledConvolution> way_;
  ConvolutionShape shape_;
  const Context& context_;
};

std::string name_of(const TiledWay<TiledConvolution>& way) {
  return "tiles " + to_string(way.kernel->tile) + ", split " + std::to_string(way.split);
}

/// Those of both, at most `most`.
std::vector<Plan> joined(std::vector<Plan> first, std::vector<Plan> second, size_t most) {
  for (Plan& plan : second) {
    if (first.size() < most) first.push_back(std::move(plan));
  }
  return first;
}

}  // namespace

std::vector<Plan> tiled_plans(const Context& context, const PlanRequest& request, const PlanWish& wish) {
  constexpr size_t few = 8;  // of tiles and splits; the others keep the GPU busier for longer
  if (!as_float32(request.precision) || request.mode == Write::accumulate) return {};
  std::vector<Plan> plans;
  for (const auto& way : ways_to(request.pass, request.shape, request.precision, request.alignment,
                                 wish.max_workspace, context)) {
    std::string name = name_of(way);
    if (plans.size() == std::min(wish.most, few)) break;
    if (!wish.name.empty() && name != wish.name) continue;
    plans.emplace_back("CUTLASS", std::move(name), way.workspace_bytes,
                       std::make_shared<TiledPlan>(way, request.shape, context));
  }
  return plans;
}

std::vector<Plan> all_plans(const Cudnn& cudnn, cudnnHandle_t handle, const Context& context,
                            const PlanRequest& request, const PlanWish& wish) {
  if (request.precision == Precision::tf32x3) require_tf32x3(context);
  std::vector<Plan> tiles = tiled_plans(context, request, wish);
  if (request.precision == Precision::tf32x3 && tiles.size() >= wish.most) return tiles;
  std::vector<Plan> engines = propose_plans(cudnn, {.handle = handle}, request, wish);
  return request.precision == Precision::tf32x3 ? joined(std::move(tiles), std::move(engines), wish.most)
                                                : joined(std::move(engines), std::move(tiles), wish.most);
}

}  // namespace ebm::cuda
