// SPDX-License-Identifier: MIT
// cuDNN's backend interface for graphs of one 2-D convolution of float32 or bfloat16, channels last: the
// checks of its manual. The loops are in dnn_operation.cpp.
//
// The heuristics propose engines that try the caller: one that is not supported after all, one on tensor
// cores (it rounds to TF32, unless NVIDIA_TF32_OVERRIDE=0), one whose sums have no fixed order, one that is
// compiled at run time, two that round their inputs or sums to 16 bits; and, as a fallback, a plain one. An
// engine scribbles over the workspace it asked for.
#include <cudnn.h>

#include <algorithm>
#include <set>

#include "dnn_descriptors.h"
#include "dnn_operation.h"
#include "dnn_timing.h"
#include "emulated.h"
#include "kernels/cuda/cudnn/library.h"

using namespace ebm::emulated;

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

std::set<cudnnHandle_t>& handles() {
  static std::set<cudnnHandle_t> all;
  return all;
}

// Engines

/// What an ENGINECFG or ENGINE descriptor holds besides the attributes that callers may read.
constexpr Name config_engine = CUDNN_ATTR_ENGINE_GLOBAL_INDEX;
constexpr Name config_graph = CUDNN_ATTR_ENGINE_OPERATION_GRAPH;

std::vector<Engine> proposals(cudnnBackendHeurMode_t mode) {
  if (mode == CUDNN_HEUR_MODE_FALLBACK) return {plain};
  return {unsupported_after_all, without_order, compiled, rounding_inputs, rounding_sums, tensor_cores};
}

int64_t workspace_bytes(Engine engine, const Operation& operation) {
  return engine == plain ? operation.weight.bytes() : 1000;
}

void fill_configuration(Object& config, Engine engine, cudnnBackendDescriptor_t graph) {
  config.put(config_engine, std::vector<int64_t>{engine});
  config.put(config_graph, std::vector<cudnnBackendDescriptor_t>{graph});
  config.finalized = true;
}

/// A knob that does nothing.
void fill_knob(Object& knob, Engine engine) {
  knob.put(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, std::vector<cudnnBackendKnobType_t>{CUDNN_KNOB_TYPE_TILE_SIZE});
  knob.put(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, std::vector<int64_t>{10 * engine});
  knob.finalized = true;
}

void fill_engine(Object& object, Engine engine) {
  std::vector<cudnnBackendNumericalNote_t> numerical;
  std::vector<cudnnBackendBehaviorNote_t> behavior;
  if (engine == tensor_cores) numerical = {CUDNN_NUMERICAL_NOTE_TENSOR_CORE};
  if (engine == rounding_inputs) numerical = {CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS};
  if (engine == rounding_sums) numerical = {CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION};
  if (engine == without_order) numerical = {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};
  if (engine == compiled) behavior = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION};
  object.put(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, std::vector<int64_t>{engine});
  object.put(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, numerical);
  object.put(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, behavior);
  object.finalized = true;
}

// Finalizing

cudnnStatus_t bad(const char* why) {
  return refuse(CUDNN_STATUS_BAD_PARAM, "cudnnBackendFinalize", why);
}

cudnnStatus_t check_tensor(const Object& tensor) {
  const Shape s(tensor);
  const auto strides = tensor.values<int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
  if (s.type != CUDNN_DATA_FLOAT && s.type != CUDNN_DATA_BFLOAT16)
    return bad("only float32 and bfloat16 are emulated");
  if (s.n < 1 || s.c < 1 || s.h < 1 || s.w < 1) return bad("a dimension is less than 1");
  if (strides != std::vector<int64_t>{s.h * s.w * s.c, 1, s.w * s.c, s.c})
    return bad("only dense tensors with channels last are emulated");
  if (s.alignment < s.bytes_each() || (s.alignment & (s.alignment - 1)) != 0)
    return bad("the alignment is no power of two, or less than an element's");
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_convolution(const Object& convolution) {
  const auto integers = [&](Name name) { return convolution.values<int64_t>(name); };
  if (convolution.value<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) != CUDNN_DATA_FLOAT)
    return bad("only sums in float32 are emulated");
  if (convolution.value<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) != CUDNN_CROSS_CORRELATION)
    return bad("only cross-correlation is emulated");
  if (integers(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS)[0] != 2) return bad("only two dimensions are emulated");
  if (integers(CUDNN_ATTR_CONVOLUTION_DILATIONS) != std::vector<int64_t>{1, 1})
    return bad("only dilation 1 is emulated");
  for (const int64_t stride : integers(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES))
    if (stride < 1) return bad("a stride is less than 1");
  for (const int64_t padding : integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS))
    if (padding < 0) return bad("a padding is negative");
  if (integers(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS) != integers(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS))
    return bad("only paddings of the same size at both ends are emulated");
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_operation(const Object& object) {
  for (size_t i = 0; i < 4; ++i) {
    const Object& part = object.object(operation_names(object.type)[i]);
    const auto type = i == 0 ? CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR : CUDNN_BACKEND_TENSOR_DESCRIPTOR;
    if (part.type != type || !part.finalized) return bad("a part has the wrong type or is not final");
  }
  const Operation operation(object);
  if (operation.x.id == operation.y.id || operation.x.id == operation.weight.id ||
      operation.y.id == operation.weight.id)
    return bad("two tensors have the same id");
  return operation.shapes_fit() ? CUDNN_STATUS_SUCCESS : bad("y's shape is not that of x * w");
}

cudnnStatus_t check_graph(const Object& graph) {
  const Object& operation = graph.object(CUDNN_ATTR_OPERATIONGRAPH_OPS);
  if (!is_operation(operation.type) || !operation.finalized)
    return bad("the operation is none, or not final");
  if (!handles().contains(graph.value<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE)))
    return bad("there is no such handle");
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_heuristics(const Object& heuristics) {
  const Object& graph = heuristics.object(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  if (graph.type != CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR || !graph.finalized)
    return bad("the graph is none, or not final");
  return CUDNN_STATUS_SUCCESS;
}

Operation operation_of(const Object& config) {
  return Operation(config.object(config_graph).object(CUDNN_ATTR_OPERATIONGRAPH_OPS));
}

cudnnStatus_t make_plan(Object& plan) {
  // Kernels are loaded, which waits for the device.
  if (refuse_in_capture("cudnnBackendFinalize of a plan") != cudaSuccess)
    return CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER;
  const Object& config = plan.object(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  if (config.type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR || !config.finalized)
    return bad("the configuration is none, or not final");
  if (!handles().contains(plan.value<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE)))
    return bad("there is no such handle");
  const auto engine = static_cast<Engine>(config.value<int64_t>(config_engine));
  const Operation operation = operation_of(config);
  if (engine == unsupported_after_all) return unsupported("the engine does not support this");
  const auto whole = [](const Shape& s) { return s.c * s.bytes_each() % 16 == 0 && s.alignment >= 16; };
  if (engine == tensor_cores && !(whole(operation.x) && whole(operation.y)))
    return unsupported("tensor cores need multiples of 16 bytes of channels, at such addresses");
  plan.put(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
           std::vector<int64_t>{workspace_bytes(engine, operation)});
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_variant_pack(const Object& pack) {
  const auto ids = pack.values<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  if (ids.size() != pack.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size())
    return bad("ids and pointers are not as many");
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize(Object& object) {
  switch (object.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return check_tensor(object);
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      return check_convolution(object);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return check_graph(object);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
      return check_heuristics(object);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return make_plan(object);
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      return check_variant_pack(object);
    default:
      return is_operation(object.type) ? check_operation(object) : bad("not emulated");
  }
}

// Execution

/// The pointer that the pack gives for a tensor; ends the program if it cannot be used.
std::byte* pointer_of(const Object& pack, const Shape& shape, const char* name) {
  const auto ids = pack.values<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto found = std::find(ids.begin(), ids.end(), shape.id);
  if (found == ids.end()) violation("cudnnBackendExecute: the variant pack has no pointer for %s", name);
  void* const pointer =
      pack.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS)[static_cast<size_t>(found - ids.begin())];
  if (reinterpret_cast<uintptr_t>(pointer) % static_cast<uintptr_t>(shape.alignment) != 0)
    violation("cudnnBackendExecute: %s is not aligned as its descriptor says", name);
  if (!inside_allocation(pointer, static_cast<size_t>(shape.bytes())))
    violation("cudnnBackendExecute: %s does not lie inside one allocation of device memory", name);
  return static_cast<std::byte*>(pointer);
}

Rounding rounding_of(Engine engine, cudnnDataType_t type, cudaStream_t stream) {
  if (engine == rounding_inputs) return Rounding::bfloat16_inputs;
  if (engine == rounding_sums) return Rounding::bfloat16_sums;
  const bool tf32 = engine == tensor_cores && type == CUDNN_DATA_FLOAT && tf32_of(stream) != Tf32::never;
  return tf32 ? Rounding::tf32 : Rounding::none;
}

bool overlap(const std::byte* a, const Shape& a_shape, const std::byte* b, const Shape& b_shape) {
  return a < b + b_shape.bytes() && b < a + a_shape.bytes();
}

}  // namespace

namespace ebm::emulated {

cudnnStatus_t fill_descriptors(const Object& object, Name name, const std::vector<Object*>& to,
                               int64_t* count) {
  constexpr const char* call = "cudnnBackendGetAttribute";
  if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS && object.type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR) {
    const Operation operation(
        object.object(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH).object(CUDNN_ATTR_OPERATIONGRAPH_OPS));
    // As cuDNN 9 does it: no error, and no proposal.
    const auto engines = operation.one_type()
                             ? proposals(object.value<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE))
                             : std::vector<Engine>{};
    *count = static_cast<int64_t>(std::min(engines.size(), to.size()));
    for (size_t i = 0; i < static_cast<size_t>(*count); ++i) {
      if (to[i]->type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)
        return refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, call, "results are configurations of engines");
      fill_configuration(*to[i], engines[i],
                         object.value<cudnnBackendDescriptor_t>(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH));
    }
    return CUDNN_STATUS_SUCCESS;
  }
  if (name == CUDNN_ATTR_ENGINECFG_ENGINE && object.type == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) {
    if (to.size() != 1 || to[0]->type != CUDNN_BACKEND_ENGINE_DESCRIPTOR)
      return refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, call, "a configuration has one engine");
    *count = 1;
    fill_engine(*to[0], static_cast<Engine>(object.value<int64_t>(config_engine)));
    return CUDNN_STATUS_SUCCESS;
  }
  if (name == CUDNN_ATTR_ENGINECFG_KNOB_CHOICES && object.type == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) {
    if (to.empty() || to[0]->type != CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR)
      return refuse(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, call, "a configuration has choices of knobs");
    *count = 1;
    fill_knob(*to[0], static_cast<Engine>(object.value<int64_t>(config_engine)));
    return CUDNN_STATUS_SUCCESS;
  }
  return refuse(CUDNN_STATUS_BAD_PARAM, call, "no descriptors are behind this attribute, or not emulated");
}

}  // namespace ebm::emulated

namespace ebm::cuda {

Cudnn default_cudnn() {
  return {.version = cudnnGetVersion,
          .create = cudnnCreate,
          .destroy = cudnnDestroy,
          .set_stream = cudnnSetStream,
          .error_string = cudnnGetErrorString,
          .last_error_string = cudnnGetLastErrorString,
          .create_descriptor = cudnnBackendCreateDescriptor,
          .destroy_descriptor = cudnnBackendDestroyDescriptor,
          .set_attribute = cudnnBackendSetAttribute,
          .get_attribute = cudnnBackendGetAttribute,
          .finalize = cudnnBackendFinalize,
          .execute = cudnnBackendExecute};
}

}  // namespace ebm::cuda

extern "C" {

size_t cudnnGetVersion() {
  return CUDNN_VERSION;
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  const Lock lock(device_mutex());
  if (refuse_in_capture("cudnnCreate") != cudaSuccess) return CUDNN_STATUS_NOT_INITIALIZED;
  *handle = *handles().insert(new cudnnContext).first;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  const Lock lock(device_mutex());
  if (handles().erase(handle) == 0)
    return refuse(CUDNN_STATUS_NOT_INITIALIZED, "cudnnDestroy", "there is no such handle");
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  const Lock lock(device_mutex());
  if (!handles().contains(handle) || !is_stream(stream))
    return refuse(CUDNN_STATUS_BAD_PARAM, "cudnnSetStream", "there is no such handle or stream");
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const Lock lock(device_mutex());
  Object& object = require_object(descriptor, "what cudnnBackendFinalize got");
  if (object.finalized) return bad("it is final already");
  if (const std::string missing = missing_attribute(object); !missing.empty()) return bad(missing.c_str());
  const cudnnStatus_t status = finalize(object);
  object.finalized = status == CUDNN_STATUS_SUCCESS;
  return status;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan_descriptor,
                                  cudnnBackendDescriptor_t pack_descriptor) {
  const Lock lock(device_mutex());
  const auto wrong = [](const char* why) {
    return refuse(CUDNN_STATUS_BAD_PARAM, "cudnnBackendExecute", why);
  };
  const Object& plan = require_object(plan_descriptor, "the plan of cudnnBackendExecute");
  const Object& pack = require_object(pack_descriptor, "the variant pack of cudnnBackendExecute");
  if (plan.type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR || !plan.finalized) return wrong("no final plan");
  if (pack.type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR || !pack.finalized)
    return wrong("no final variant pack");
  if (!handles().contains(handle) || handle->stream == nullptr) return wrong("no handle with a stream");
  if (plan.value<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE) != handle)
    return wrong("the plan was made for another handle");
  const Object& config = plan.object(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  const auto engine = static_cast<Engine>(config.value<int64_t>(config_engine));
  Operation operation = operation_of(config);
  if (fault_of(engine) == EngineFault::does_not_add) operation.beta = 0;
  const Arguments arguments{pointer_of(pack, operation.x, "x"),
                            pointer_of(pack, operation.weight, "the weight"),
                            pointer_of(pack, operation.y, "y"),
                            static_cast<std::byte*>(pack.value<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE))};
  if (overlap(arguments.x, operation.x, arguments.y, operation.y) ||
      overlap(arguments.x, operation.x, arguments.weight, operation.weight) ||
      overlap(arguments.y, operation.y, arguments.weight, operation.weight))
    violation("cudnnBackendExecute: two of the arrays overlap");
  const auto workspace = static_cast<size_t>(plan.value<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
  if (!inside_allocation(arguments.workspace, workspace))
    violation("cudnnBackendExecute: the workspace does not lie inside one allocation of device memory");
  const EngineFault fault = fault_of(engine);
  if (fault == EngineFault::does_not_run)
    return refuse(CUDNN_STATUS_EXECUTION_FAILED, "cudnnBackendExecute", "planted: this engine does not run");
  if (fault == EngineFault::cannot_be_recorded && refuse_in_capture("planted: this engine") != cudaSuccess)
    return CUDNN_STATUS_EXECUTION_FAILED;
  const Rounding rounding = fault == EngineFault::computes_wrongly
                                ? Rounding::wrong
                                : rounding_of(engine, operation.x.type, handle->stream);
  queue(handle->stream,
        [=] {
          std::fill_n(arguments.workspace, workspace, std::byte{0xFF});
          compute(operation, arguments, rounding);
          pass_time_of(engine);
        },
        {.type = cudaGraphNodeTypeKernel});
  return CUDNN_STATUS_SUCCESS;
}

}  // extern "C"
