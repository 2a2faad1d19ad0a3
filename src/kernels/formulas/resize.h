// SPDX-License-Identifier: MIT
// Images of another size, by tables of taps: number j of a line of the new image is
//   sum_k weights[j, k] x[first[j] + k],
// first along the lines (ResizeLines), then down the columns (ResizeColumns). A table says what the filter
// is.
#pragma once

#include "kernels/formulas/window.h"

namespace ebm {

/// For each of `size` new numbers the first of the old ones that it is made of, and their weights.
struct Taps {
  int64_t size, taps;
  const int32_t* first;  // size
  const float* weights;  // size x taps
};

/// Lines of images of bytes: out[line, j, c] = sum_k weights[j, k] images[line, first[j] + k, c]. Images of
/// one channel may become images of several equal ones.
struct ResizeLines {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;    // lines of all images; table.size * out_channels
  int64_t width, channels;  // of an image
  int64_t out_channels;     // = channels, or channels is 1
  Taps table;
  const uint8_t* images;  // rows x width x channels
  float* out;             // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(images, rows * width * channels);
    uses.reads(table.first, table.size);
    uses.reads(table.weights, table.size * table.taps);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t line, int64_t column) const {
    const int64_t j = quotient32(column, out_channels), c = channels == 1 ? 0 : column - j * out_channels;
    const uint8_t* const from = images + (line * width + table.first[j]) * channels + c;
    const float* const weights = table.weights + j * table.taps;
    float sum = 0;
    for (int64_t k = 0; k < table.taps; ++k) sum += weights[k] * static_cast<float>(from[k * channels]);
    out[line * columns + column] = sum;
  }
};

/// y[image, i, column] = scale v + shift with v = sum_k weights[i, k] x[image, first[i] + k, column], cut to
/// 0 ... 255.
struct ResizeColumns {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // images * table.size; numbers of a line
  int64_t height;         // of an old image
  Taps table;
  float scale, shift;
  const float* x;  // images * height x columns
  float* y;        // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, quotient32(rows, table.size) * height * columns);
    uses.reads(table.first, table.size);
    uses.reads(table.weights, table.size * table.taps);
    uses.writes(y, rows * columns);
  }

  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD float* output() const { return y; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    const int64_t image = quotient32(e.row, table.size), i = e.row - image * table.size;
    const int64_t first = image * height + table.first[i];
    const float* const weights = table.weights + i * table.taps;
    typename E::Value sum = 0;
    for (int64_t k = 0; k < table.taps; ++k) sum = sum + weights[k] * e.in_row(x, first + k);
    constexpr float most = 255;
    const auto above = where(sum > 0, sum, 0);
    return scale * where(above > most, most, above) + shift;
  }
};

}  // namespace ebm
