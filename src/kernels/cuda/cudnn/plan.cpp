// SPDX-License-Identifier: MIT
// cuDNN's way: a graph of operations (here one), heuristics that propose configurations of engines for it,
// best first, and a plan made of one of them. All of it works without a GPU, on a described one, which is how
// tests/emulation/plans_test.cu proves that every convolution of the paper's networks has a plan.
#include "kernels/cuda/cudnn/plan.h"

#include <algorithm>
#include <string>

#include "core/error.h"

namespace ebm::cuda {

namespace {

enum Identity : int64_t { x_id = 'x', weight_id = 'w', y_id = 'y' };

/// cuDNN names the axes N, C, H, W (or O, I, H, W) whatever their order in memory, which here is channels
/// last.
Descriptor tensor(const Cudnn& cudnn, Identity id, int64_t count, const Features& f, int64_t alignment) {
  Descriptor d(cudnn, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id});
  d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
  d.set_integers(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {alignment});
  d.set_integers(CUDNN_ATTR_TENSOR_DIMENSIONS, {count, f.channels, f.height, f.width});
  d.set_integers(CUDNN_ATTR_TENSOR_STRIDES, {f.size(), 1, f.width * f.channels, f.channels});
  d.finalize();
  return d;
}

Descriptor convolution(const Cudnn& cudnn, const ConvolutionShape& shape) {
  const std::vector<int64_t> padding{shape.padding.height, shape.padding.width};
  Descriptor d(cudnn, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  d.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  d.set_integers(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
  d.set_integers(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1});
  d.set_integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {shape.stride.height, shape.stride.width});
  d.set_integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding);
  d.set_integers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding);
  d.finalize();
  return d;
}

/// cuDNN's names for a pass.
struct Names {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t alpha, beta, convolution, x, weight, y;
};

Names names_of(Pass pass) {
  switch (pass) {
    case Pass::forward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y};
    case Pass::backward_data:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY};
    default:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY};
  }
}

/// result = 1 * pass + beta * result
Descriptor operation(const Cudnn& cudnn, const PlanRequest& request, const Descriptor& x,
                     const Descriptor& weight, const Descriptor& y, const Descriptor& convolution) {
  const Names names = names_of(request.pass);
  Descriptor d(cudnn, names.operation);
  d.set(names.convolution, convolution);
  d.set(names.x, x);
  d.set(names.weight, weight);
  d.set(names.y, y);
  d.set(names.alpha, 1.0f);
  d.set(names.beta, request.mode == Write::accumulate ? 1.0f : 0.0f);
  d.finalize();
  return d;
}

Descriptor graph_of(const Cudnn& cudnn, const PlanTarget& target, const Descriptor& operation) {
  Descriptor d(cudnn, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  d.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  if (target.handle != nullptr) d.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle);
  d.finalize();
  return d;
}

/// Configurations of engines for the graph, best first.
std::vector<Descriptor> proposals(const Cudnn& cudnn, const PlanTarget& target, const Descriptor& graph,
                                  cudnnBackendHeurMode_t mode) {
  constexpr int64_t most = 64;
  Descriptor d(cudnn, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  d.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  d.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (target.properties != nullptr) d.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.properties);
  if (d.try_finalize() != CUDNN_STATUS_SUCCESS) return {};
  return d.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most);
}

/// Does the engine keep this project's promises?
bool acceptable(const Descriptor& engine, Precision precision) {
  const auto numerical = engine.get_numerical_notes();
  const auto behavior = engine.get_behavior_notes();
  const auto has = [&](cudnnBackendNumericalNote_t note) {
    return std::find(numerical.begin(), numerical.end(), note) != numerical.end();
  };
  // For float32 arrays a tensor core means TF32.
  const bool tf32 = has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  const bool reduced =
      has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) || has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
  const bool compiled =
      std::find(behavior.begin(), behavior.end(), CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != behavior.end();
  return !(tf32 && precision == Precision::full) && !reduced && !has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) &&
         !compiled;
}

const char* name_of(Pass pass) {
  switch (pass) {
    case Pass::forward:
      return "forward pass";
    case Pass::backward_data:
      return "gradient by the images";
    default:
      return "gradient by the weight";
  }
}

}  // namespace

std::array<int64_t, 15> PlanRequest::key() const {
  return {static_cast<int64_t>(pass),
          static_cast<int64_t>(mode),
          static_cast<int64_t>(precision),
          alignment,
          shape.rows,
          shape.input.height,
          shape.input.width,
          shape.input.channels,
          shape.output_channels,
          shape.kernel.height,
          shape.kernel.width,
          shape.stride.height,
          shape.stride.width,
          shape.padding.height,
          shape.padding.width};
}

Plan::Plan(const Cudnn& cudnn, const PlanTarget& target, const PlanRequest& request) : cudnn_(&cudnn) {
  const ConvolutionShape& shape = request.shape;
  const Features kernel{shape.kernel.height, shape.kernel.width, shape.input.channels};
  const Descriptor& x = keep(tensor(cudnn, x_id, shape.rows, shape.input, request.alignment));
  const Descriptor& y = keep(tensor(cudnn, y_id, shape.rows, shape.output(), request.alignment));
  const Descriptor& weight = keep(tensor(cudnn, weight_id, shape.output_channels, kernel, request.alignment));
  const Descriptor& window = keep(convolution(cudnn, shape));
  const Descriptor& graph =
      keep(graph_of(cudnn, target, keep(operation(cudnn, request, x, weight, y, window))));
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (Descriptor& configuration : proposals(cudnn, target, graph, mode)) {
      if (try_configuration(target, std::move(configuration), request.precision)) return;
    }
  }
  throw Error(std::string("cuDNN has no way to the ") + name_of(request.pass) + " of " + to_string(shape) +
              (request.precision == Precision::full ? " in true float32" : "") +
              "; use a smaller batch, another cuDNN, or --device cpu");
}

bool Plan::try_configuration(const PlanTarget& target, Descriptor configuration, Precision precision) {
  const auto engine =
      configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
  if (engine.empty() || !acceptable(engine.front(), precision)) return false;
  Descriptor plan(*cudnn_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  if (target.handle != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
  if (target.properties != nullptr) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties);
  if (plan.try_finalize() != CUDNN_STATUS_SUCCESS) return false;  // not for these sizes or this GPU after all
  constexpr int64_t most_workspace = int64_t{512} << 20;
  workspace_bytes_ = plan.get_integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  if (workspace_bytes_ > most_workspace) return false;
  engine_ = engine.front().get_integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  keep(std::move(configuration));
  keep(std::move(plan));
  return true;
}

void Plan::run(cudnnHandle_t handle, float* x, float* weight, float* y, void* workspace) const {
  Descriptor arguments(*cudnn_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  arguments.set_integers(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {x_id, weight_id, y_id});
  arguments.set_pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {x, weight, y});
  arguments.set_pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace});
  arguments.finalize();
  cudnn_->check(cudnn_->execute(handle, parts_.back().get(), arguments.get()), "cudnnBackendExecute");
}

}  // namespace ebm::cuda
