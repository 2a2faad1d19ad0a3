// SPDX-License-Identifier: MIT
// Average and max pooling, nearest upsampling and the sum over pixels as naive loops, for any scalar. A row of a
// matrix is one image, channels last.
#pragma once

#include <cstdint>
#include <vector>

#include "reference/convolution.h"
#include "reference/matrix.h"

namespace ebm::reference {

/// Calls f(large index, small index) for every pixel and channel of a large image that lies in a window,
/// which is one pixel of the small image.
template <class F>
void for_each_pixel_of_windows(const ConvolutionSizes& s, const F& f) {
  const int64_t small_height = s.height / s.kernel_height, small_width = s.width / s.kernel_width;
  for (int64_t h = 0; h < small_height * s.kernel_height; ++h)
    for (int64_t w = 0; w < small_width * s.kernel_width; ++w)
      for (int64_t c = 0; c < s.channels; ++c)
        f((h * s.width + w) * s.channels + c,
          (h / s.kernel_height * small_width + w / s.kernel_width) * s.channels + c);
}

template <class T>
Matrix<T> apply_average_pool(const ConvolutionSizes& s, const Matrix<T>& x) {
  Matrix<T> y(x.rows, s.height / s.kernel_height * (s.width / s.kernel_width) * s.channels);
  const T pixels = T(static_cast<double>(s.kernel_height * s.kernel_width));
  for (int64_t b = 0; b < x.rows; ++b)
    for_each_pixel_of_windows(s, [&](int64_t large, int64_t small) { y(b, small) += x(b, large) / pixels; });
  return y;
}

/// The largest pixel of each window of a convolution's sizes, which may overlap; padding is no pixel.
template <class T>
Matrix<T> apply_max_pool(const ConvolutionSizes& s, const Matrix<T>& x) {
  ConvolutionSizes one = s;
  one.outputs = 1;
  Matrix<T> y(x.rows, s.output_height() * s.output_width() * s.channels);
  for (int64_t b = 0; b < x.rows; ++b) {
    std::vector<bool> seen(static_cast<size_t>(y.cols), false);
    for_each_tap(one, [&](int64_t from, int64_t window, int64_t, int64_t c, int64_t, int64_t) {
      const int64_t to = window * s.channels + c;
      const auto index = static_cast<size_t>(to);
      if (!seen[index] || x(b, from) > y(b, to)) y(b, to) = x(b, from);
      seen[index] = true;
    });
  }
  return y;
}

/// The mean of each window of a convolution's sizes, which may overlap; padding is no pixel and is not counted.
template <class T>
Matrix<T> apply_overlapping_average(const ConvolutionSizes& s, const Matrix<T>& x) {
  ConvolutionSizes one = s;
  one.outputs = 1;
  Matrix<T> y(x.rows, s.output_height() * s.output_width() * s.channels);
  for (int64_t b = 0; b < x.rows; ++b) {
    std::vector<int> count(static_cast<size_t>(y.cols), 0);
    for_each_tap(one, [&](int64_t from, int64_t window, int64_t, int64_t c, int64_t, int64_t) {
      const int64_t to = window * s.channels + c;
      y(b, to) += x(b, from);
      ++count[static_cast<size_t>(to)];
    });
    for (int64_t j = 0; j < y.cols; ++j)
      y(b, j) = y(b, j) / T(static_cast<double>(count[static_cast<size_t>(j)]));
  }
  return y;
}

template <class T>
Matrix<T> apply_upsample(const ConvolutionSizes& s, const Matrix<T>& x) {
  Matrix<T> y(x.rows, s.height * s.width * s.channels);
  for (int64_t b = 0; b < x.rows; ++b)
    for_each_pixel_of_windows(s, [&](int64_t large, int64_t small) { y(b, large) = x(b, small); });
  return y;
}

template <class T>
Matrix<T> apply_spatial_sum(int64_t channels, const Matrix<T>& x) {
  Matrix<T> y(x.rows, channels);
  for (int64_t b = 0; b < x.rows; ++b)
    for (int64_t j = 0; j < x.cols; ++j) y(b, j % channels) += x(b, j);
  return y;
}

}  // namespace ebm::reference
