// SPDX-License-Identifier: MIT
// cuDNN's way: a graph of operations (here one), heuristics that propose configurations of engines for it,
// best first, and a plan made of one of them. All of it works without a GPU, on a described one, which is how
// tests/emulation/cudnn/plans_test.cu proves that every convolution of the paper's networks has a plan.
#include "kernels/cuda/cudnn/plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"

namespace ebm::cuda {

namespace {

enum Identity : int64_t { x_id = 'x', weight_id = 'w', y_id = 'y' };

/// cuDNN names the axes N, C, H, W (or O, I, H, W) whatever their order in memory, which here is channels
/// last.
Descriptor tensor(const Cudnn& cudnn, Identity id, int64_t count, const Features& f, cudnnDataType_t type,
                  int64_t alignment) {
  Descriptor d(cudnn, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id});
  d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
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

cudnnDataType_t data_type(Type type) {
  return type == Type::float32 ? CUDNN_DATA_FLOAT : CUDNN_DATA_BFLOAT16;
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
std::vector<Descriptor> configurations(const Cudnn& cudnn, const PlanTarget& target, const Descriptor& graph,
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
bool acceptable(const Descriptor& engine, const PlanRequest& request, Bits bits) {
  const auto numerical = engine.get_numerical_notes();
  const auto behavior = engine.get_behavior_notes();
  const auto has = [&](cudnnBackendNumericalNote_t note) {
    return std::find(numerical.begin(), numerical.end(), note) != numerical.end();
  };
  // For float32 arrays a tensor core means TF32.
  const bool tf32 = request.type() == Type::float32 && has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  const bool reduced =
      has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) || has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
  const bool compiled =
      std::find(behavior.begin(), behavior.end(), CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != behavior.end();
  return !(tf32 && as_float32(request.precision)) && !reduced && !compiled &&
         !(bits == Bits::same && has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC));
}

std::string name_of(const Descriptor& configuration, const Descriptor& engine) {
  constexpr int64_t max_knobs = 64;
  std::string name =
      "engine " + std::to_string(engine.get_integer(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)) + ", knobs";
  for (const Descriptor& knob : configuration.get_descriptors(
           CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, max_knobs)) {
    name += " " + std::to_string(knob.get_knob_type()) + "=" +
            std::to_string(knob.get_integer(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  }
  return name;
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

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::full:
      return "true float32";
    case Precision::training:
      return "float32 or TF32";
    case Precision::tf32x3:
      return "3xTF32";
    default:
      return "bfloat16";
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

PlanRequest request_of(const ConvolutionForward& p) {
  return {.pass = Pass::forward,
          .shape = p.shape,
          .precision = p.precision,
          .alignment = common_alignment(p.x.address, p.weight.address, p.y.address)};
}

PlanRequest request_of(const ConvolutionBackwardData& p) {
  return {.pass = Pass::backward_data,
          .shape = p.shape,
          .precision = p.precision,
          .alignment = common_alignment(p.x_bar.address, p.weight.address, p.y_bar.address)};
}

PlanRequest request_of(const ConvolutionBackwardWeight& p) {
  return {.pass = Pass::backward_weight,
          .shape = p.shape,
          .mode = p.mode,
          .precision = p.precision,
          .alignment = common_alignment(p.x.address, p.weight_bar, p.y_bar.address)};
}

std::string to_string(const PlanRequest& request) {
  return std::string(name_of(request.pass)) + " of " + to_string(request.shape) + " in " +
         name_of(request.precision) + (request.mode == Write::accumulate ? ", added to what is there" : "") +
         ", arrays at multiples of " + std::to_string(request.alignment) + " bytes";
}

/// The descriptors of one pass, which all plans for it share.
class PassGraph : public std::enable_shared_from_this<PassGraph> {
 public:
  PassGraph(const Cudnn& cudnn, const PlanTarget& target, const PlanRequest& request);

  /// cuDNN's proposals that `wish` describes, at most wish.most.
  std::vector<Plan> plans(const PlanTarget& target, const PlanRequest& request, const PlanWish& wish) const;
  const Cudnn& cudnn() const { return cudnn_; }

 private:
  /// A plan of the configuration, or nothing if it is not wanted or not possible.
  std::optional<Plan> plan(const PlanTarget& target, const PlanRequest& request, const PlanWish& wish,
                           Descriptor configuration) const;

  const Cudnn& cudnn_;
  Descriptor x_, weight_, y_, window_, operation_, graph_;
};

PassGraph::PassGraph(const Cudnn& cudnn, const PlanTarget& target, const PlanRequest& request)
    : cudnn_(cudnn),
      x_(tensor(cudnn, x_id, request.shape.rows, request.shape.input, data_type(request.type()),
                request.alignment)),
      weight_(tensor(cudnn, weight_id, request.shape.output_channels,
                     {request.shape.kernel.height, request.shape.kernel.width, request.shape.input.channels},
                     data_type(request.type()), request.alignment)),
      y_(tensor(cudnn, y_id, request.shape.rows, request.shape.output(), data_type(request.type()),
                request.alignment)),
      window_(convolution(cudnn, request.shape)),
      operation_(operation(cudnn, request, x_, weight_, y_, window_)),
      graph_(graph_of(cudnn, target, operation_)) {}

std::vector<Plan> PassGraph::plans(const PlanTarget& target, const PlanRequest& request,
                                   const PlanWish& wish) const {
  std::vector<Plan> found;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    for (Descriptor& configuration : configurations(cudnn_, target, graph_, mode)) {
      if (found.size() == wish.most) return found;
      if (auto made = plan(target, request, wish, std::move(configuration)))
        found.push_back(*std::move(made));
    }
  }
  return found;
}

namespace {

class EngineWay final : public Plan::Way {
 public:
  EngineWay(std::shared_ptr<const PassGraph> graph, Descriptor configuration, Descriptor plan)
      : graph_(std::move(graph)), configuration_(std::move(configuration)), plan_(std::move(plan)) {}

  void run(cudnnHandle_t handle, void* x, void* weight, void* y, void* workspace) const override {
    const Cudnn& cudnn = graph_->cudnn();
    Descriptor arguments(cudnn, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    arguments.set_integers(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {x_id, weight_id, y_id});
    arguments.set_pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, {x, weight, y});
    arguments.set_pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace});
    arguments.finalize();
    cudnn.check(cudnn.execute(handle, plan_.get(), arguments.get()), "cudnnBackendExecute");
  }

 private:
  // A plan refers to what it is made of.
  std::shared_ptr<const PassGraph> graph_;
  Descriptor configuration_, plan_;
};

}  // namespace

std::optional<Plan> PassGraph::plan(const PlanTarget& target, const PlanRequest& request,
                                    const PlanWish& wish, Descriptor configuration) const {
  const auto engine =
      configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
  if (engine.empty() || !acceptable(engine.front(), request, wish.bits)) return std::nullopt;
  std::string name = name_of(configuration, engine.front());
  if (!wish.name.empty() && name != wish.name) return std::nullopt;
  Descriptor made(cudnn_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  made.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  if (target.handle != nullptr) made.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
  if (target.properties != nullptr) made.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.properties);
  if (made.try_finalize() != CUDNN_STATUS_SUCCESS)
    return std::nullopt;  // not for these sizes or this GPU after all
  const int64_t workspace = made.get_integer(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
  if (workspace > wish.max_workspace) return std::nullopt;
  return Plan("cuDNN", std::move(name), workspace,
              std::make_shared<EngineWay>(shared_from_this(), std::move(configuration), std::move(made)));
}

std::vector<Plan> propose_plans(const Cudnn& cudnn, const PlanTarget& target, const PlanRequest& request,
                                const PlanWish& wish) {
  std::vector<Plan> plans =
      std::make_shared<const PassGraph>(cudnn, target, request)->plans(target, request, wish);
  if (plans.empty() && wish.name.empty()) {
    throw Error("cuDNN has no way to the " + to_string(request) + ", in " +
                std::to_string(wish.max_workspace >> 20) +
                " MiB of workspace; use a smaller batch, another cuDNN, or --device cpu");
  }
  return plans;
}

}  // namespace ebm::cuda
