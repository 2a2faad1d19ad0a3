// SPDX-License-Identifier: MIT
#include "dnn_operation.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "emulated.h"

namespace ebm::emulated {

namespace {

/// f(x index, weight index, y index) for every product, all three channels last.
template <class F>
void for_each_product(const Operation& operation, const F& f) {
  const Shape &x = operation.x, &weight = operation.weight, &y = operation.y;
  for (int64_t image = 0; image < y.n; ++image) {
    for (int64_t i = 0; i < y.h; ++i) {
      for (int64_t j = 0; j < y.w; ++j) {
        for (int64_t k = 0; k < weight.h; ++k) {
          for (int64_t l = 0; l < weight.w; ++l) {
            const int64_t row = i * operation.strides[0] + k - operation.padding[0];
            const int64_t column = j * operation.strides[1] + l - operation.padding[1];
            if (row < 0 || row >= x.h || column < 0 || column >= x.w) continue;
            for (int64_t o = 0; o < y.c; ++o) {
              for (int64_t c = 0; c < x.c; ++c) {
                f(x.at(image, c, row, column), weight.at(o, c, k, l), y.at(image, o, i, j));
              }
            }
          }
        }
      }
    }
  }
}

float load(const std::byte* array, const Shape& shape, size_t i) {
  if (shape.type == CUDNN_DATA_BFLOAT16) {
    uint16_t bits = 0;
    std::memcpy(&bits, array + 2 * i, sizeof bits);
    return from_bfloat16(bits);
  }
  float value = 0;
  std::memcpy(&value, array + 4 * i, sizeof value);
  return value;
}

void store(std::byte* array, const Shape& shape, size_t i, float value) {
  if (shape.type == CUDNN_DATA_BFLOAT16) {
    const uint16_t bits = to_bfloat16(value);
    std::memcpy(array + 2 * i, &bits, sizeof bits);
  } else {
    std::memcpy(array + 4 * i, &value, sizeof value);
  }
}

float nearest_bfloat16(float x) {
  return from_bfloat16(to_bfloat16(x));
}

}  // namespace

Operation::Operation(const Object& o)
    : type(o.type),
      x(o.object(operation_names(type)[1])),
      weight(o.object(operation_names(type)[2])),
      y(o.object(operation_names(type)[3])),
      alpha(o.value<float>(operation_names(type)[4])),
      beta(o.value<float>(operation_names(type)[5])) {
  const Object& convolution = o.object(operation_names(type)[0]);
  strides = convolution.values<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  padding = convolution.values<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
}

void compute(const Operation& operation, const Arguments& a, Rounding rounding) {
  const auto rounded = [&](const std::byte* array, const Shape& shape) {
    std::vector<float> copy(static_cast<size_t>(shape.size()));
    for (size_t i = 0; i < copy.size(); ++i) copy[i] = load(array, shape, i);
    if (rounding == Rounding::tf32) std::transform(copy.begin(), copy.end(), copy.begin(), to_tf32);
    if (rounding == Rounding::bfloat16_inputs)
      std::transform(copy.begin(), copy.end(), copy.begin(), nearest_bfloat16);
    return copy;
  };
  const Shape& shape = operation.result();
  std::vector<float> sums(static_cast<size_t>(shape.size()));
  std::byte* result = a.weight;
  if (&shape == &operation.y) {
    result = a.y;
    const auto x = rounded(a.x, operation.x), w = rounded(a.weight, operation.weight);
    for_each_product(operation, [&](size_t i, size_t j, size_t k) { sums[k] += x[i] * w[j]; });
  } else if (&shape == &operation.x) {
    result = a.x;
    const auto y = rounded(a.y, operation.y), w = rounded(a.weight, operation.weight);
    for_each_product(operation, [&](size_t i, size_t j, size_t k) { sums[i] += y[k] * w[j]; });
  } else {
    const auto y = rounded(a.y, operation.y), x = rounded(a.x, operation.x);
    for_each_product(operation, [&](size_t i, size_t j, size_t k) { sums[j] += y[k] * x[i]; });
  }
  if (rounding == Rounding::bfloat16_sums)
    std::transform(sums.begin(), sums.end(), sums.begin(), nearest_bfloat16);
  for (size_t i = 0; i < sums.size(); ++i) {  // beta 0: what was there is not read
    const float value = operation.alpha * sums[i] * (rounding == Rounding::wrong ? 1.02f : 1.0f);
    store(result, shape, i, operation.beta == 0 ? value : value + operation.beta * load(result, shape, i));
  }
}

}  // namespace ebm::emulated
