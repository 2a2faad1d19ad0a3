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

/// The pixels first .. last - 1 of a line of x that window number i holds.
struct WindowRange {
  int64_t first, last;
  EBM_HD int64_t size() const { return last - first; }
};
EBM_HD inline WindowRange window_range(int64_t i, int64_t stride, int64_t padding, int64_t kernel,
                                       int64_t fine) {
  const int64_t first = i * stride - padding, last = first + kernel;
  return {first > 0 ? first : 0, last < fine ? last : fine};
}

/// f(place) for each pixel that the window of pixel p of y holds, line by line, by its place in the image;
/// their number. A window of 3 x 3, the usual one, is written out: loops that short cost more than what is in
/// them, and so do calls of f, which should be always_inline.
template <class F>
EBM_HD int64_t each_pixel(const PoolWindows& w, const Pixel& p, F f) {
  const WindowRange down =
                        window_range(p.i, w.stride.height, w.padding.height, w.kernel.height, w.fine.height),
                    along = window_range(p.j, w.stride.width, w.padding.width, w.kernel.width, w.fine.width);
  const int64_t first = down.first * w.fine.width + along.first;
  if (down.size() == 3 && along.size() == 3) {
    const int64_t second = first + w.fine.width, third = second + w.fine.width;
    f(first), f(first + 1), f(first + 2);
    f(second), f(second + 1), f(second + 2);
    f(third), f(third + 1), f(third + 2);
  } else {
    for (int64_t line = first; line < down.last * w.fine.width; line += w.fine.width) {
      for (int64_t l = 0; l < along.size(); ++l) f(line + l);
    }
  }
  return down.size() * along.size();
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
    using Value = typename E::Value;
    const Pixel p = pixel_of(e.row, windows.coarse);
    const int64_t image = p.image * windows.fine.height * windows.fine.width;
    Value largest = -INFINITY, spoiled = 0;
    each_pixel(
        windows, p, [&](int64_t place) __attribute__((always_inline)) {
          const Value value = e.in_row(x, image + place);
          spoiled = spoiled + (value - value);
          largest = where(value > largest, value, largest);
        });
    return largest + spoiled;
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
    using Value = typename E::Value;
    const Pixel p = pixel_of(e.row, windows.coarse);
    const int64_t pixels = windows.fine.height * windows.fine.width;
    const int64_t image = remainder32(p.image, images) * pixels, own = p.image * pixels;
    Value largest = -INFINITY, picked = 0;
    each_pixel(
        windows, p, [&](int64_t place) __attribute__((always_inline)) {
          const Value value = e.in_row(x, image + place);
          const auto larger = value > largest;
          picked = where(larger, e.in_row(in, own + place), picked);
          largest = where(larger, value, largest);
        });
    return picked;
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
  /// 1 where `own`, the number at `place` of the window whose first pixel is (top, left), is its largest, the
  /// first of several; else 0.
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
