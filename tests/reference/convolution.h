// SPDX-License-Identifier: MIT
// 2-D convolution and its transpose as naive loops, for any scalar. A row of a matrix is one image, channels
// last.
#pragma once

#include <cstdint>

#include "reference/matrix.h"

namespace ebm::reference {

/// The sizes of a convolution: images of height x width x channels to `outputs` channels.
struct ConvolutionSizes {
  int64_t height = 1, width = 1, channels = 1, outputs = 1;
  int64_t kernel_height = 1, kernel_width = 1;
  int64_t stride_height = 1, stride_width = 1;
  int64_t padding_height = 0, padding_width = 0;

  int64_t output_height() const { return (height + 2 * padding_height - kernel_height) / stride_height + 1; }
  int64_t output_width() const { return (width + 2 * padding_width - kernel_width) / stride_width + 1; }
  int64_t weights() const { return outputs * channels * kernel_height * kernel_width; }
};

/// Calls f(x index, y index, o, c, k, l) for every product of a weight w(o, c, k, l) and a pixel inside x.
template <class F>
void for_each_tap(const ConvolutionSizes& s, const F& f) {
  for (int64_t i = 0; i < s.output_height(); ++i)
    for (int64_t j = 0; j < s.output_width(); ++j)
      for (int64_t k = 0; k < s.kernel_height; ++k)
        for (int64_t l = 0; l < s.kernel_width; ++l) {
          const int64_t h = i * s.stride_height + k - s.padding_height;
          const int64_t w = j * s.stride_width + l - s.padding_width;
          if (h < 0 || h >= s.height || w < 0 || w >= s.width) continue;
          for (int64_t o = 0; o < s.outputs; ++o)
            for (int64_t c = 0; c < s.channels; ++c)
              f((h * s.width + w) * s.channels + c, (i * s.output_width() + j) * s.outputs + o, o, c, k, l);
        }
}

/// Where w(o, c, k, l) lies in PyTorch's order OIHW.
inline int64_t oihw(const ConvolutionSizes& s, int64_t o, int64_t c, int64_t k, int64_t l) {
  return ((o * s.channels + c) * s.kernel_height + k) * s.kernel_width + l;
}

/// y = x * w; w in the order OIHW.
template <class T>
Matrix<T> convolve(const ConvolutionSizes& s, const Matrix<T>& x, const T* w) {
  Matrix<T> y(x.rows, s.output_height() * s.output_width() * s.outputs);
  for (int64_t b = 0; b < x.rows; ++b)
    for_each_tap(s, [&](int64_t from, int64_t to, int64_t o, int64_t c, int64_t k, int64_t l) {
      y(b, to) += w[oihw(s, o, c, k, l)] * x(b, from);
    });
  return y;
}

/// The transpose of convolve as a linear map of x, applied to y: PyTorch's ConvTranspose2d of y, whose weight
/// is w.
template <class T>
Matrix<T> convolve_transposed(const ConvolutionSizes& s, const Matrix<T>& y, const T* w) {
  Matrix<T> x(y.rows, s.height * s.width * s.channels);
  for (int64_t b = 0; b < y.rows; ++b)
    for_each_tap(s, [&](int64_t to, int64_t from, int64_t o, int64_t c, int64_t k, int64_t l) {
      x(b, to) += w[oihw(s, o, c, k, l)] * y(b, from);
    });
  return x;
}

}  // namespace ebm::reference
