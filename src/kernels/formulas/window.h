// SPDX-License-Identifier: MIT
// Windows of pixels that tile an image: a fine image of H x W pixels and a coarse one of H / h x W / w. What
// is left of an odd fine image at its far ends belongs to no window.
#pragma once

#include "core/view.h"
#include "kernels/formulas/element.h"

namespace ebm {

struct Tiling {
  Extent fine, coarse, window;
};

/// A pixel of a batch of images.
struct Pixel {
  int64_t image, i, j;
};

/// Pixel number `row` of a batch of images of one size; fewer than 2^32 in all.
EBM_HD inline Pixel pixel_of(int64_t row, const Extent& size) {
  const int64_t line = quotient32(row, size.width), image = quotient32(line, size.height);
  return {image, line - image * size.height, row - line * size.width};
}

/// coarse = scale * the sum over each window of `fine`. Average pooling forwards, nearest upsampling
/// backwards.
struct WindowSum {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // coarse pixels of all images, channels
  Tiling tiling;
  ConstArray fine;
  float scale;
  Array coarse;

  template <class Uses>
  void arrays(Uses& uses) const {
    const int64_t images = rows / (tiling.coarse.height * tiling.coarse.width);
    uses.reads(fine, images * tiling.fine.height * tiling.fine.width * columns);
    uses.writes(coarse, rows * columns);
  }

  Type type() const { return fine.type; }
  bool aligned() const { return on_16_bytes(fine, coarse); }
  EBM_HD Array output() const { return coarse; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const Tiling& t = tiling;
    const Pixel p = pixel_of(e.row, t.coarse);
    const int64_t line = p.image * t.fine.height + p.i * t.window.height, place = p.j * t.window.width;
    typename E::Value sum = 0;
    for (int64_t k = 0; k < t.window.height; ++k) {
      for (int64_t l = 0; l < t.window.width; ++l) {
        sum = sum + e.in_row(fine, (line + k) * t.fine.width + place + l);
      }
    }
    return scale * sum;
  }
};

/// fine = scale * the window's pixel of `coarse`, 0 outside all windows: the transpose of WindowSum.
struct WindowSpread {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // fine pixels of all images, channels
  Tiling tiling;
  ConstArray coarse;
  float scale;
  Array fine;

  template <class Uses>
  void arrays(Uses& uses) const {
    const int64_t images = rows / (tiling.fine.height * tiling.fine.width);
    uses.reads(coarse, images * tiling.coarse.height * tiling.coarse.width * columns);
    uses.writes(fine, rows * columns);
  }

  Type type() const { return coarse.type; }
  bool aligned() const { return on_16_bytes(coarse, fine); }
  EBM_HD Array output() const { return fine; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    const Tiling& t = tiling;
    const Pixel p = pixel_of(e.row, t.fine);
    const int64_t i = quotient32(p.i, t.window.height), j = quotient32(p.j, t.window.width);
    const bool inside = i < t.coarse.height && j < t.coarse.width;
    const int64_t from = (p.image * t.coarse.height + i) * t.coarse.width + j;
    return inside ? scale * e.in_row(coarse, from) : 0;
  }
};

}  // namespace ebm
