// SPDX-License-Identifier: MIT
#include "kernels/cpu/split_products.h"

#include "kernels/cpu/block.h"
#include "kernels/tf32x3.h"

namespace ebm::cpu {

namespace {

constexpr int panel = 16;      // columns side by side
constexpr int64_t depth = 16;  // of a stage, as most of the GPU's kernels have it

template <class T>
T* at_least(std::vector<T>& memory, int64_t count) {
  if (std::ssize(memory) < count) memory.resize(static_cast<size_t>(count));
  return memory.data();
}

/// The rows of a kernel along one axis that meet pixel `at` of x, in `stride` steps: the first, and how many.
struct Taps {
  int64_t first, count;
};
Taps taps_of(int64_t at, int64_t padding, int64_t stride, int64_t kernel) {
  const int64_t first = (at + padding) % stride;
  return {first, first < kernel ? (kernel - first + stride - 1) / stride : 0};
}

/// Pixels of x that the same taps reach, (i, j) = (first + n stride), and what these read and are multiplied by.
class PixelClass {
 public:
  PixelClass(const ConvolutionBackwardData& pass, int64_t i, int64_t j)
      : s_(pass.shape),
        out_(s_.output()),
        y_bar_(floats(pass.y_bar)),
        weight_(floats(pass.weight)),
        i_(i),
        j_(j),
        down_(taps_of(i, s_.padding.height, s_.stride.height, s_.kernel.height)),
        across_(taps_of(j, s_.padding.width, s_.stride.width, s_.kernel.width)) {}

  int64_t rows() const { return s_.rows * height() * width(); }
  int64_t inner() const { return down_.count * across_.count * s_.output_channels; }

  void read_row(int64_t row, float* numbers) const {
    const int64_t i = i_of(row), j = j_of(row), image = row / (height() * width());
    for (int64_t k = 0; k < down_.count; ++k) {
      const int64_t y = (i + s_.padding.height - down_.first) / s_.stride.height - k;
      for (int64_t l = 0; l < across_.count; ++l, numbers += s_.output_channels) {
        const int64_t x = (j + s_.padding.width - across_.first) / s_.stride.width - l;
        const bool inside = y >= 0 && y < out_.height && x >= 0 && x < out_.width;
        const float* from = y_bar_ + ((image * out_.height + y) * out_.width + x) * s_.output_channels;
        for (int64_t o = 0; o < s_.output_channels; ++o) numbers[o] = inside ? from[o] : 0;
      }
    }
  }
  float weight(int64_t k, int64_t channel) const {
    const int64_t o = k % s_.output_channels, tap = k / s_.output_channels;
    const int64_t row = down_.first + tap / across_.count * s_.stride.height;
    const int64_t column = across_.first + tap % across_.count * s_.stride.width;
    return weight_[((o * s_.kernel.height + row) * s_.kernel.width + column) * s_.input.channels + channel];
  }
  /// Where x_bar has this row's pixel.
  int64_t place(int64_t row) const {
    const int64_t image = row / (height() * width());
    return ((image * s_.input.height + i_of(row)) * s_.input.width + j_of(row)) * s_.input.channels;
  }

 private:
  int64_t height() const { return (s_.input.height - i_ + s_.stride.height - 1) / s_.stride.height; }
  int64_t width() const { return (s_.input.width - j_ + s_.stride.width - 1) / s_.stride.width; }
  int64_t i_of(int64_t row) const { return i_ + row / width() % height() * s_.stride.height; }
  int64_t j_of(int64_t row) const { return j_ + row % width() * s_.stride.width; }

  ConvolutionShape s_;
  Features out_;
  const float *y_bar_, *weight_;
  int64_t i_, j_;
  Taps down_, across_;
};

}  // namespace

template <class ReadRow, class B, class Store>
void SplitProducts::multiply(const ProductSize& size, const ReadRow& read_row, const B& b,
                             const Store& store) {
  const int64_t panels = (size.columns + panel - 1) / panel, each = size.inner * panel;
  threads_.wait();  // memory may move
  double* const big = at_least(panels_big_, panels * each);
  double* const small = at_least(panels_small_, panels * each);
  const Parts columns = cut(panels, panels * each);
  threads_.run(columns.count, [&](int64_t part) {
    for (int64_t p = columns[part].first; p < columns[part].last; ++p) {
      for (int64_t i = 0; i < each; ++i) {
        const int64_t column = p * panel + i % panel;
        const SplitTf32 split = split_tf32(column < size.columns ? b(i / panel, column) : 0.0f);
        big[p * each + i] = double{split.big};
        small[p * each + i] = double{split.small};
      }
    }
  });
  const Parts rows = cut(size.rows, size.rows * size.columns * size.inner);
  threads_.run(rows.count, [&](int64_t part) {
    Rows& own = rows_[static_cast<size_t>(part)];
    float* const whole = at_least(own.whole, size.inner);
    float* const a_big = at_least(own.big, size.inner);
    float* const a_small = at_least(own.small, size.inner);
    for (int64_t row = rows[part].first; row < rows[part].last; ++row) {
      read_row(row, whole);
      for (int64_t k = 0; k < size.inner; ++k) {
        const SplitTf32 split = split_tf32(whole[k]);
        a_big[k] = split.big;
        a_small[k] = split.small;
      }
      for (int64_t p = 0; p < panels; ++p) {
        float sums[panel];
        add_in_stages<panel>({a_big, a_small, big + p * each, small + p * each}, size.inner, depth, sums);
        for (int64_t j = 0; j < std::min<int64_t>(panel, size.columns - p * panel); ++j)
          store(row, p * panel + j, sums[j]);
      }
    }
  });
  threads_.wait();  // the caller's functions go
}

void SplitProducts::run(const Gemm& g) {
  const float *const a = floats(g.a), *const b = floats(g.b);
  float* const c = floats(g.c);
  const bool a_turned = g.transpose_a == Transpose::yes, b_turned = g.transpose_b == Transpose::yes;
  multiply(
      product_size(g),
      [&](int64_t row, float* numbers) {
        for (int64_t k = 0; k < g.inner; ++k) numbers[k] = a_turned ? a[k * g.m + row] : a[row * g.inner + k];
      },
      [&](int64_t k, int64_t column) { return b_turned ? b[column * g.inner + k] : b[k * g.n + column]; },
      [&](int64_t row, int64_t column, float sum) {
        float& to = c[row * g.n + column];
        to = g.beta == 0 ? g.alpha * sum : g.alpha * sum + g.beta * to;
      });
}

void SplitProducts::run(const ConvolutionForward& pass) {
  const ConvolutionShape& s = pass.shape;
  const Features in = s.input, out = s.output();
  const float *const x = floats(pass.x), *const weight = floats(pass.weight);
  float* const y = floats(pass.y);
  const int64_t inner = s.kernel.height * s.kernel.width * in.channels;
  const auto read_row = [&](int64_t row, float* numbers) {
    const int64_t image = row / out.pixels(), i = row / out.width % out.height, j = row % out.width;
    for (int64_t k = 0; k < s.kernel.height; ++k) {
      const int64_t from_i = i * s.stride.height + k - s.padding.height;
      for (int64_t l = 0; l < s.kernel.width; ++l, numbers += in.channels) {
        const int64_t from_j = j * s.stride.width + l - s.padding.width;
        const bool inside = from_i >= 0 && from_i < in.height && from_j >= 0 && from_j < in.width;
        const float* from = x + ((image * in.height + from_i) * in.width + from_j) * in.channels;
        for (int64_t c = 0; c < in.channels; ++c) numbers[c] = inside ? from[c] : 0;
      }
    }
  };
  multiply(
      product_size(ConvolutionPass::forward, s), read_row,
      [&](int64_t k, int64_t o) { return weight[o * inner + k]; },
      [&](int64_t row, int64_t o, float sum) { y[row * out.channels + o] = sum; });
}

void SplitProducts::run(const ConvolutionBackwardData& pass) {
  const ConvolutionShape& s = pass.shape;
  float* const x_bar = floats(pass.x_bar);
  for (int64_t i = 0; i < std::min(s.stride.height, s.input.height); ++i) {
    for (int64_t j = 0; j < std::min(s.stride.width, s.input.width); ++j) {
      const PixelClass pixels(pass, i, j);
      multiply(
          {.rows = pixels.rows(), .columns = s.input.channels, .inner = pixels.inner()},
          [&](int64_t row, float* numbers) { pixels.read_row(row, numbers); },
          [&](int64_t k, int64_t c) { return pixels.weight(k, c); },
          [&](int64_t row, int64_t c, float sum) { x_bar[pixels.place(row) + c] = sum; });
    }
  }
}

}  // namespace ebm::cpu
