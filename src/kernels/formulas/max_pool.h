// SPDX-License-Identifier: MIT
// Max pooling: y = the largest x of a window, and for derivatives the place of it, the first of several. A
// window of pixels that are not all finite gives NaN.
#pragma once

#include "kernels/formulas/window.h"

namespace ebm {

/// Windows over an image, which may overlap; pixels beside the image (padding) are in no window.
struct PoolWindows {
  Extent fine, coarse;  // pixels of x and y
  Extent kernel, stride, padding;
};

/// The largest value of the window of pixel `p` of y, and `in` at its place. Both are images like x, of one
/// type; row `row` of `in` belongs to image `image` of x.
template <class E>
struct PooledPixel {
  typename E::Value largest, picked, spoiled;
};
template <class E, class In>
EBM_HD PooledPixel<E> pooled(const E& e, const PoolWindows& w, int64_t image, int64_t in_image, int64_t i,
                             int64_t j, ConstArray x, In in) {
  using Value = typename E::Value;
  PooledPixel<E> result{Value(0), Value(0), Value(0)};
  bool first = true;
  const int64_t pixels = w.fine.height * w.fine.width;
  for (int64_t k = 0; k < w.kernel.height; ++k) {
    for (int64_t l = 0; l < w.kernel.width; ++l) {
      const int64_t h = i * w.stride.height + k - w.padding.height,
                    v = j * w.stride.width + l - w.padding.width;
      if (h < 0 || h >= w.fine.height || v < 0 || v >= w.fine.width) continue;
      const int64_t place = h * w.fine.width + v;
      const Value value = e.in_row(x, image * pixels + place),
                  other = e.in_row(in, in_image * pixels + place);
      result.spoiled = result.spoiled + (value - value);
      const auto larger = value > result.largest;
      result.picked = first ? other : where(larger, other, result.picked);
      result.largest = first ? value : where(larger, value, result.largest);
      first = false;
    }
  }
  return result;
}

/// y = the largest of each window.
struct MaxPooling {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // pixels of y of all images, channels
  PoolWindows windows;
  ConstArray x;
  Array y;

  template <class Uses>
  void arrays(Uses& uses) const {
    const int64_t images = rows / (windows.coarse.height * windows.coarse.width);
    uses.reads(x, images * windows.fine.height * windows.fine.width * columns);
    uses.writes(y, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD Array output() const { return y; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    const Pixel p = pixel_of(e.row, windows.coarse);
    const auto found = pooled(e, windows, p.image, p.image, p.i, p.j, x, x);
    return found.largest + found.spoiled;
  }
};

/// out = `in` where x is the largest of each window: JVP. Image t of `in` belongs to image t % images of x.
struct MaxPoolingPick {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // pixels of `out` of all images, channels
  int64_t images;         // of x
  PoolWindows windows;
  ConstArray x, in;
  Array out;

  template <class Uses>
  void arrays(Uses& uses) const {
    const int64_t pixels = windows.fine.height * windows.fine.width * columns;
    const int64_t of_in = rows / (windows.coarse.height * windows.coarse.width);
    uses.reads(x, (of_in < images ? of_in : images) * pixels);
    uses.reads(in, of_in * pixels);
    uses.writes(out, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, in, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    const Pixel p = pixel_of(e.row, windows.coarse);
    return pooled(e, windows, remainder32(p.image, images), p.image, p.i, p.j, x, in).picked;
  }
};

/// out = the sum of y_bar over the windows that a pixel is the largest of: VJP. Image t of y_bar belongs to
/// image t % images of x.
struct MaxPoolingSpread {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // pixels of `out` of all images, channels
  int64_t images;         // of x
  PoolWindows windows;
  ConstArray x, y_bar;
  Array out;

  template <class Uses>
  void arrays(Uses& uses) const {
    const int64_t of_out = rows / (windows.fine.height * windows.fine.width);
    const int64_t used = of_out < images ? of_out : images;
    uses.reads(x, used * windows.fine.height * windows.fine.width * columns);
    uses.reads(y_bar, of_out * windows.coarse.height * windows.coarse.width * columns);
    uses.writes(out, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, y_bar, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    using Value = typename E::Value;
    const PoolWindows& w = windows;
    const Pixel p = pixel_of(e.row, w.fine);
    const int64_t h = p.i + w.padding.height, v = p.j + w.padding.width;
    const int64_t image = remainder32(p.image, images) * w.fine.height * w.fine.width;
    const Value own = e.in_row(x, image + p.i * w.fine.width + p.j);
    Value sum = Value(0);
    // Each window that holds the pixel, by the pixel's place (k, l) in it.
    for (int64_t k = 0; k < w.kernel.height; ++k) {
      const int64_t i = quotient32(h - k, w.stride.height);
      if (h < k || i >= w.coarse.height || i * w.stride.height != h - k) continue;
      for (int64_t l = 0; l < w.kernel.width; ++l) {
        const int64_t j = quotient32(v - l, w.stride.width);
        if (v < l || j >= w.coarse.width || j * w.stride.width != v - l) continue;
        const Value bar = e.in_row(y_bar, (p.image * w.coarse.height + i) * w.coarse.width + j);
        sum =
            sum + where(largest(e, image, p.i - k, p.j - l, k * w.kernel.width + l, own) > 0, bar, Value(0));
      }
    }
    return sum;
  }

 private:
  /// 1 where `own`, the number at `place` of the window whose first pixel is (top, left), is its largest, the first of
  /// several; else 0.
  template <class E>
  EBM_HD typename E::Value largest(const E& e, int64_t image, int64_t top, int64_t left, int64_t place,
                                   const typename E::Value& own) const {
    using Value = typename E::Value;
    const PoolWindows& w = windows;
    Value is = Value(1);
    for (int64_t k = 0; k < w.kernel.height; ++k) {
      for (int64_t l = 0; l < w.kernel.width; ++l) {
        const int64_t i = top + k, j = left + l, other = k * w.kernel.width + l;
        if (i < 0 || i >= w.fine.height || j < 0 || j >= w.fine.width || other == place) continue;
        const Value there = e.in_row(x, image + i * w.fine.width + j);
        is = other < place ? where(own > there, is, Value(0)) : where(there > own, Value(0), is);
      }
    }
    return is;
  }
};

}  // namespace ebm
