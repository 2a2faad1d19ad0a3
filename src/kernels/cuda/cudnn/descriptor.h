// SPDX-License-Identifier: MIT
// cuDNN's backend descriptors, with types: an object made of attributes, fixed by finalize().
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cuda/cudnn/library.h"

namespace ebm::cuda {

class Descriptor {
 public:
  /// `cudnn` must outlive it. Throws Error.
  Descriptor(const Cudnn& cudnn, cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  cudnnBackendDescriptor_t get() const { return descriptor_; }

  // Each throws Error.
  void set_integers(cudnnBackendAttributeName_t name, const std::vector<int64_t>& values);
  void set_pointers(cudnnBackendAttributeName_t name, const std::vector<void*>& values);
  void set_text(cudnnBackendAttributeName_t name, const std::string& text);
  void set(cudnnBackendAttributeName_t name, float value);
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value);
  void set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value);
  void set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value);
  void set(cudnnBackendAttributeName_t name, cudnnHandle_t value);
  void set(cudnnBackendAttributeName_t name, const Descriptor& value);
  void finalize();
  /// The same, with the status instead of an Error.
  cudnnStatus_t try_finalize();

  int64_t get_integer(cudnnBackendAttributeName_t name) const;
  cudnnBackendKnobType_t get_knob_type() const;
  std::vector<cudnnBackendNumericalNote_t> get_numerical_notes() const;
  std::vector<cudnnBackendBehaviorNote_t> get_behavior_notes() const;
  /// The descriptors of type `type` that the attribute holds; more than `most` are left out.
  std::vector<Descriptor> get_descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                          int64_t most) const;

 private:
  void set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
               const void* values);
  int64_t get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t most,
                  void* values) const;

  const Cudnn* cudnn_;
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace ebm::cuda
