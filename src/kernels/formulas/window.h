// SPDX-License-Identifier: MIT
// Windows of pixels that tile an image: a fine image of H x W pixels and a coarse one of H / h x W / w. What
// is left of an odd fine image at its far ends belongs to no window.
#pragma once

#include "core/view.h"
#include "kernels/formulas/formula.h"

namespace ebm {

struct Tiling {
  Extent fine, coarse, window;
};

/// A pixel of a batch of images.
struct Pixel {
  int64_t image, i, j;
};

/// Pixel number `row` of images of one size. 32-bit divisions, since a GPU has no fast ones of 64 bits:
/// so a batch has fewer than 2^32 pixels.
EBM_HD inline Pixel pixel_of(int64_t row, const Extent& size) {
  const auto pixel = static_cast<uint32_t>(row), h = static_cast<uint32_t>(size.height),
             w = static_cast<uint32_t>(size.width);
  const uint32_t line = pixel / w, image = line / h;
  return {image, line - image * h, pixel - line * w};
}

/// coarse = scale * the sum over each window of `fine`. Average pooling forwards, nearest upsampling
/// backwards.
struct WindowSum {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;  // coarse pixels of all images, channels
  Tiling tiling;
  const float* fine;
  float scale;
  float* coarse;

  EBM_HD void operator()(int64_t row, int64_t c) const {
    const Tiling& t = tiling;
    const Pixel p = pixel_of(row, t.coarse);
    const int64_t line = p.image * t.fine.height + p.i * t.window.height, place = p.j * t.window.width;
    float sum = 0;
    for (int64_t k = 0; k < t.window.height; ++k) {
      for (int64_t l = 0; l < t.window.width; ++l) {
        sum += fine[((line + k) * t.fine.width + place + l) * columns + c];
      }
    }
    coarse[row * columns + c] = scale * sum;
  }
};

/// fine = scale * the window's pixel of `coarse`, 0 outside all windows: the transpose of WindowSum.
struct WindowSpread {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;  // fine pixels of all images, channels
  Tiling tiling;
  const float* coarse;
  float scale;
  float* fine;

  EBM_HD void operator()(int64_t row, int64_t c) const {
    const Tiling& t = tiling;
    const Pixel p = pixel_of(row, t.fine);
    const auto i = static_cast<uint32_t>(p.i) / static_cast<uint32_t>(t.window.height),
               j = static_cast<uint32_t>(p.j) / static_cast<uint32_t>(t.window.width);
    const bool inside = i < t.coarse.height && j < t.coarse.width;
    const int64_t from = (p.image * t.coarse.height + i) * t.coarse.width + j;
    fine[row * columns + c] = inside ? scale * coarse[from * columns + c] : 0;
  }
};

}  // namespace ebm
