// SPDX-License-Identifier: MIT
#include "kernels/cuda/cudnn/descriptor.h"

#include <algorithm>
#include <utility>

namespace ebm::cuda {

Descriptor::Descriptor(const Cudnn& cudnn, cudnnBackendDescriptorType_t type) : cudnn_(&cudnn) {
  cudnn_->check(cudnn_->create_descriptor(type, &descriptor_), "cudnnBackendCreateDescriptor");
}

Descriptor::~Descriptor() {
  if (descriptor_ != nullptr) cudnn_->destroy_descriptor(descriptor_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : cudnn_(other.cudnn_), descriptor_(std::exchange(other.descriptor_, nullptr)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(cudnn_, other.cudnn_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

void Descriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                         const void* values) {
  const cudnnStatus_t status = cudnn_->set_attribute(descriptor_, name, type, count, values);
  if (status != CUDNN_STATUS_SUCCESS) {
    cudnn_->check(status, "cudnnBackendSetAttribute of attribute " + std::to_string(name));
  }
}

int64_t Descriptor::get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t most,
                            void* values) const {
  int64_t count = 0;
  const cudnnStatus_t status = cudnn_->get_attribute(descriptor_, name, type, most, &count, values);
  if (status != CUDNN_STATUS_SUCCESS) {
    cudnn_->check(status, "cudnnBackendGetAttribute of attribute " + std::to_string(name));
  }
  return std::min(count, most);
}

void Descriptor::set_integers(cudnnBackendAttributeName_t name, const std::vector<int64_t>& values) {
  set_raw(name, CUDNN_TYPE_INT64, std::ssize(values), values.data());
}
void Descriptor::set(cudnnBackendAttributeName_t name, float value) {
  set_raw(name, CUDNN_TYPE_FLOAT, 1, &value);
}
void Descriptor::set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
  set_raw(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
}
void Descriptor::set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value) {
  set_raw(name, CUDNN_TYPE_CONVOLUTION_MODE, 1, &value);
}
void Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value) {
  set_raw(name, CUDNN_TYPE_HEUR_MODE, 1, &value);
}
void Descriptor::set(cudnnBackendAttributeName_t name, cudnnHandle_t value) {
  set_raw(name, CUDNN_TYPE_HANDLE, 1, &value);
}
void Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& value) {
  set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.descriptor_);
}
void Descriptor::set_pointers(cudnnBackendAttributeName_t name, const std::vector<void*>& values) {
  set_raw(name, CUDNN_TYPE_VOID_PTR, std::ssize(values), values.data());
}
void Descriptor::set_text(cudnnBackendAttributeName_t name, const std::string& text) {
  set_raw(name, CUDNN_TYPE_CHAR, std::ssize(text), text.data());
}

void Descriptor::finalize() {
  cudnn_->check(try_finalize(), "cudnnBackendFinalize");
}

cudnnStatus_t Descriptor::try_finalize() {
  return cudnn_->finalize(descriptor_);
}

int64_t Descriptor::get_integer(cudnnBackendAttributeName_t name) const {
  int64_t value = 0;
  get_raw(name, CUDNN_TYPE_INT64, 1, &value);
  return value;
}

cudnnBackendKnobType_t Descriptor::get_knob_type() const {
  cudnnBackendKnobType_t type{};
  get_raw(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
  return type;
}

std::vector<cudnnBackendNumericalNote_t> Descriptor::get_numerical_notes() const {
  std::vector<cudnnBackendNumericalNote_t> notes(CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  notes.resize(static_cast<size_t>(
      get_raw(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, std::ssize(notes), notes.data())));
  return notes;
}

std::vector<cudnnBackendBehaviorNote_t> Descriptor::get_behavior_notes() const {
  std::vector<cudnnBackendBehaviorNote_t> notes(CUDNN_BEHAVIOR_NOTE_TYPE_COUNT);
  notes.resize(static_cast<size_t>(
      get_raw(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, std::ssize(notes), notes.data())));
  return notes;
}

std::vector<Descriptor> Descriptor::get_descriptors(cudnnBackendAttributeName_t name,
                                                    cudnnBackendDescriptorType_t type, int64_t most) const {
  // The caller brings the descriptors, which cuDNN fills.
  std::vector<Descriptor> filled;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < most; ++i) raw.push_back(filled.emplace_back(*cudnn_, type).get());
  const int64_t count = get_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, raw.data());
  filled.erase(filled.begin() + count, filled.end());
  return filled;
}

}  // namespace ebm::cuda
