// SPDX-License-Identifier: MIT
// cuDNN's descriptors: attributes by name, of one type and number each, fixed by finalizing.
#pragma once

#include <cudnn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace ebm::emulated {

using Name = cudnnBackendAttributeName_t;

struct Attribute {
  int64_t count = 0;
  std::vector<std::byte> bytes;
};

/// What a cudnnBackendDescriptor_t points to.
struct Object {
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<Name, Attribute> attributes;

  template <class T>
  std::vector<T> values(Name name) const {
    const Attribute& attribute = attributes.at(name);
    std::vector<T> result(static_cast<size_t>(attribute.count));
    std::copy(attribute.bytes.begin(), attribute.bytes.end(), reinterpret_cast<std::byte*>(result.data()));
    return result;
  }
  template <class T>
  T value(Name name) const {
    return values<T>(name).at(0);
  }
  template <class T>
  void put(Name name, const std::vector<T>& values) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(values.data());
    attributes[name] = {static_cast<int64_t>(values.size()), {bytes, bytes + values.size() * sizeof(T)}};
  }
  /// The descriptor that the attribute names. Ends the program if that one is destroyed.
  Object& object(Name name) const;
};

/// The descriptor behind a pointer; ends the program if there is none.
Object& require_object(cudnnBackendDescriptor_t descriptor, const char* what);

/// The attributes of an operation: convolution, x, weight, y, alpha, beta.
using OperationNames = std::array<Name, 6>;
const OperationNames& operation_names(cudnnBackendDescriptorType_t type);
bool is_operation(cudnnBackendDescriptorType_t type);

/// The first attribute that must be set and is not, or nothing.
std::string missing_attribute(const Object& object);

/// Says on stderr why a call is refused, keeps it for cudnnGetLastErrorString, and returns `status`.
cudnnStatus_t refuse(cudnnStatus_t status, const char* call, const std::string& why);
/// The same without a word on stderr: the caller must be ready for it.
cudnnStatus_t unsupported(const char* why);

/// The answers of an attribute of a heuristics or engine descriptor, made when it is asked for.
cudnnStatus_t fill_descriptors(const Object& object, Name name, const std::vector<Object*>& to,
                               int64_t* count);

}  // namespace ebm::emulated
