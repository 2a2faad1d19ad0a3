// SPDX-License-Identifier: MIT
// Average pooling over windows that may overlap and reach beyond the image: the
// mean of the pixels of x that a window holds. What lies beside the image is in no window and is not counted
// (AvgPool2d with count_include_pad=False).
#pragma once

#include "kernels/formulas/max_pool.h"

namespace ebm {

struct AveragePooling {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // pixels of y of all images, channels
  PoolWindows windows;
  const float* x;
  float* y;

  template <class Uses>
  void arrays(Uses& uses) const {
    const int64_t images = rows / (windows.coarse.height * windows.coarse.width);
    uses.reads(x, images * windows.fine.height * windows.fine.width * columns);
    uses.writes(y, rows * columns);
  }

  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD float* output() const { return y; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    const Pixel p = pixel_of(e.row, windows.coarse);
    const int64_t image = p.image * windows.fine.height * windows.fine.width;
    typename E::Value sum = 0;
    const int64_t count = each_pixel(
        windows,
        p, [&](int64_t place) __attribute__((always_inline)) { sum = sum + e.in_row(x, image + place); });
    return 1 / static_cast<float>(count) * sum;
  }
};

}  // namespace ebm
