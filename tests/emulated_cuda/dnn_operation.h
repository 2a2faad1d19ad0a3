// SPDX-License-Identifier: MIT
// One 2-D convolution as cuDNN's descriptors tell it, channels last, and its three results by plain loops.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnn_descriptors.h"

namespace ebm::emulated {

/// A tensor descriptor: N, C, H, W (O, I, H, W for a weight).
struct Shape {
  int64_t n, c, h, w;
  int64_t id, alignment;
  cudnnDataType_t type;

  explicit Shape(const Object& tensor)
      : id(tensor.value<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID)),
        alignment(tensor.value<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT)),
        type(tensor.value<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE)) {
    const auto dims = tensor.values<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
    n = dims[0], c = dims[1], h = dims[2], w = dims[3];
  }
  int64_t size() const { return n * c * h * w; }
  int64_t bytes_each() const { return type == CUDNN_DATA_BFLOAT16 ? 2 : 4; }
  int64_t bytes() const { return size() * bytes_each(); }
  /// The index of an element, channels last.
  int64_t at(int64_t i, int64_t k, int64_t row, int64_t column) const {
    return ((i * h + row) * w + column) * c + k;
  }
};

/// An operation descriptor.
struct Operation {
  cudnnBackendDescriptorType_t type;
  Shape x, weight, y;
  std::vector<int64_t> strides, padding;
  float alpha, beta;

  explicit Operation(const Object& o);

  const Shape& result() const {
    if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) return y;
    return type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR ? x : weight;
  }
  bool one_type() const { return x.type == y.type && x.type == weight.type; }
  bool shapes_fit() const {
    const auto extent = [&](int64_t in, int64_t kernel, size_t axis) {
      return (in + 2 * padding[axis] - kernel) / strides[axis] + 1;
    };
    return x.n == y.n && x.c == weight.c && weight.n == y.c && extent(x.h, weight.h, 0) == y.h &&
           extent(x.w, weight.w, 1) == y.w;
  }
};

/// The three arrays and the workspace of one execution.
struct Arguments {
  std::byte *x, *weight, *y, *workspace;
};

/// How an engine rounds float32: its factors to TF32 or bfloat16, its sums to bfloat16.
/// `wrong`: sums that are 2 % too large.
enum class Rounding { none, tf32, bfloat16_inputs, bfloat16_sums, wrong };

/// Computes the operation's result, but for `rounding` in float32 until it is stored, into its array.
void compute(const Operation& operation, const Arguments& a, Rounding rounding);

}  // namespace ebm::emulated
