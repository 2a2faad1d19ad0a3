// SPDX-License-Identifier: MIT
#include "dnn_descriptors.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "emulated.h"

namespace ebm::emulated {

namespace {

std::string& last_error() {
  static std::string text;
  return text;
}

std::set<Object*>& objects() {
  static std::set<Object*> all;
  return all;
}

constexpr OperationNames forward_names{
    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
    CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
constexpr OperationNames backward_data_names{
    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
constexpr OperationNames backward_weight_names{
    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,        CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};

struct Rule {
  Name name;
  cudnnBackendAttributeType_t type;
  int64_t least, most;  // elements
};

std::vector<Rule> operation_rules(const OperationNames& names) {
  const auto [convolution, x, weight, y, alpha, beta] = names;
  return {{convolution, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
          {x, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
          {weight, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
          {y, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
          {alpha, CUDNN_TYPE_FLOAT, 1, 1},
          {beta, CUDNN_TYPE_FLOAT, 1, 1}};
}

/// What a caller may set, and how.
std::vector<Rule> rules_of(cudnnBackendDescriptorType_t type) {
  switch (type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
      return {{CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, 1},
              {CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1},
              {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, 1},
              {CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, 4},
              {CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, 4}};
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      return {{CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1},
              {CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, 1},
              {CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, 1},
              {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, 2},
              {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, 2},
              {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, 2},
              {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, 2}};
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
      return operation_rules(operation_names(type));
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
      return {{CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
              {CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, 1}};
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
      return {{CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
              {CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, 1}};
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
      return {{CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
              {CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, 1}};
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      return {{CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 1, 16},
              {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 1, 16},
              {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, 1}};
    default:
      return {};  // filled by cuDNN alone
  }
}

size_t size_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_INT64:
      return sizeof(int64_t);
    case CUDNN_TYPE_FLOAT:
      return sizeof(float);
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_CONVOLUTION_MODE:
    case CUDNN_TYPE_HEUR_MODE:
    case CUDNN_TYPE_KNOB_TYPE:
    case CUDNN_TYPE_NUMERICAL_NOTE:
    case CUDNN_TYPE_BEHAVIOR_NOTE:
      return sizeof(int);
    default:
      return sizeof(void*);
  }
}

}  // namespace

const OperationNames& operation_names(cudnnBackendDescriptorType_t type) {
  switch (type) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return forward_names;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return backward_data_names;
    default:
      return backward_weight_names;
  }
}

bool is_operation(cudnnBackendDescriptorType_t type) {
  return type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ||
         type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ||
         type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
}

Object& require_object(cudnnBackendDescriptor_t descriptor, const char* what) {
  auto* const object = static_cast<Object*>(descriptor);
  if (!objects().contains(object)) violation("cuDNN: %s is no descriptor, or one that is destroyed", what);
  return *object;
}

Object& Object::object(Name name) const {
  return require_object(value<cudnnBackendDescriptor_t>(name), "what an attribute names");
}

std::string missing_attribute(const Object& object) {
  for (const Rule& rule : rules_of(object.type)) {
    if (!object.attributes.contains(rule.name)) {
      return "attribute " + std::to_string(rule.name) + " is not set";
    }
  }
  return {};
}

cudnnStatus_t refuse(cudnnStatus_t status, const char* call, const std::string& why) {
  last_error() = why;
  std::fprintf(stderr, "emulated CUDA refuses %s: %s\n", call, why.c_str());
  return status;
}

cudnnStatus_t unsupported(const char* why) {
  last_error() = why;
  return CUDNN_STATUS_NOT_SUPPORTED;
}

}  // namespace ebm::emulated

using namespace ebm::emulated;

extern "C" {

const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS:
      return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_INITIALIZED:
      return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_NOT_SUPPORTED:
      return "CUDNN_STATUS_NOT_SUPPORTED";
    default:
      return status >= CUDNN_STATUS_BAD_PARAM && status < CUDNN_STATUS_NOT_SUPPORTED
                 ? "CUDNN_STATUS_BAD_PARAM"
                 : "a status that is not emulated";
  }
}

void cudnnGetLastErrorString(char* message, size_t capacity) {
  std::snprintf(message, capacity, "%s", last_error().c_str());
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* descriptor) {
  const Lock lock(device_mutex());
  *descriptor = *objects().insert(new Object{type, false, {}}).first;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  const Lock lock(device_mutex());
  Object& object = require_object(descriptor, "what cudnnBackendDestroyDescriptor got");
  objects().erase(&object);
  delete &object;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void* elements) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudnnBackendSetAttribute";
  Object& object = require_object(descriptor, "what cudnnBackendSetAttribute got");
  if (object.finalized) return refuse(CUDNN_STATUS_BAD_PARAM, call, "the descriptor is final");
  for (const Rule& rule : rules_of(object.type)) {
    if (rule.name != name) continue;
    if (rule.type != type)
      return refuse(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, call, "not the attribute's type");
    if (count < rule.least || count > rule.most || elements == nullptr)
      return refuse(CUDNN_STATUS_BAD_PARAM, call, "not the attribute's number of elements");
    const auto* const bytes = static_cast<const std::byte*>(elements);
    object.attributes[name] = {count, {bytes, bytes + static_cast<size_t>(count) * size_of(type)}};
    return CUDNN_STATUS_SUCCESS;
  }
  return refuse(CUDNN_STATUS_BAD_PARAM, call,
                "attribute " + std::to_string(name) + " is none of such a descriptor, or not emulated");
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t requested, int64_t* count,
                                       void* elements) {
  const Lock lock(device_mutex());
  constexpr const char* call = "cudnnBackendGetAttribute";
  const Object& object = require_object(descriptor, "what cudnnBackendGetAttribute got");
  if (!object.finalized)
    return refuse(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, call, "the descriptor is not final");
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR) {
    std::vector<Object*> to;
    for (int64_t i = 0; i < requested; ++i) {
      to.push_back(
          &require_object(static_cast<cudnnBackendDescriptor_t*>(elements)[i], "an element to fill"));
    }
    return fill_descriptors(object, name, to, count);
  }
  const auto found = object.attributes.find(name);
  if (found == object.attributes.end())
    return refuse(CUDNN_STATUS_BAD_PARAM, call,
                  "attribute " + std::to_string(name) + " is none of such a descriptor, or not emulated");
  const auto [stored, bytes] = found->second;
  *count = stored;
  std::copy_n(bytes.begin(), static_cast<size_t>(std::min(stored, requested)) * size_of(type),
              static_cast<std::byte*>(elements));
  return CUDNN_STATUS_SUCCESS;
}

}  // extern "C"
