// SPDX-License-Identifier: MIT
#include "kernels/cuda/cudnn/convolution_sums.h"

namespace ebm::cuda {

namespace {

/// Where an element of N x H x W x C lies, and what is there.
struct Position {
  int64_t row, i, j, channel;
};

Position position_in(const Features& f, int64_t index) {
  const int64_t pixel = index / f.channels;
  return {pixel / f.pixels(), pixel / f.width % f.height, pixel % f.width, index % f.channels};
}

int64_t index_in(const Features& f, const Position& p) {
  return ((p.row * f.height + p.i) * f.width + p.j) * f.channels + p.channel;
}

struct Sizes {
  const ConvolutionShape& s;
  const Features in = s.input, out = s.output();

  int64_t weight(int64_t o, int64_t k, int64_t l, int64_t c) const {
    return ((o * s.kernel.height + k) * s.kernel.width + l) * in.channels + c;
  }
  bool inside(int64_t i, int64_t j) const { return i >= 0 && i < in.height && j >= 0 && j < in.width; }
  /// The row of x that row i of y and row k of the kernel meet; likewise for columns.
  int64_t x_row(int64_t i, int64_t k) const { return s.stride.height * i + k - s.padding.height; }
  int64_t x_column(int64_t j, int64_t l) const { return s.stride.width * j + l - s.padding.width; }
};

double forward_at(const Sizes& sizes, const Position& y, std::span<const float> x,
                  std::span<const float> weight) {
  double sum = 0;
  for (int64_t k = 0; k < sizes.s.kernel.height; ++k) {
    for (int64_t l = 0; l < sizes.s.kernel.width; ++l) {
      const int64_t i = sizes.x_row(y.i, k), j = sizes.x_column(y.j, l);
      if (!sizes.inside(i, j)) continue;
      const float* from = x.data() + index_in(sizes.in, {y.row, i, j, 0});
      const float* by = weight.data() + sizes.weight(y.channel, k, l, 0);
      for (int64_t c = 0; c < sizes.in.channels; ++c) sum += double{from[c]} * double{by[c]};
    }
  }
  return sum;
}

double backward_data_at(const Sizes& sizes, const Position& x, std::span<const float> weight,
                        std::span<const float> y) {
  double sum = 0;
  for (int64_t i = 0; i < sizes.out.height; ++i) {
    const int64_t k = x.i - sizes.x_row(i, 0);
    if (k < 0 || k >= sizes.s.kernel.height) continue;
    for (int64_t j = 0; j < sizes.out.width; ++j) {
      const int64_t l = x.j - sizes.x_column(j, 0);
      if (l < 0 || l >= sizes.s.kernel.width) continue;
      const float* from = y.data() + index_in(sizes.out, {x.row, i, j, 0});
      for (int64_t o = 0; o < sizes.out.channels; ++o) {
        sum += double{from[o]} * double{weight[static_cast<size_t>(sizes.weight(o, k, l, x.channel))]};
      }
    }
  }
  return sum;
}

double backward_weight_at(const Sizes& sizes, int64_t index, std::span<const float> x,
                          std::span<const float> y) {
  const int64_t c = index % sizes.in.channels, l = index / sizes.in.channels % sizes.s.kernel.width,
                k = index / sizes.in.channels / sizes.s.kernel.width % sizes.s.kernel.height,
                o = index / sizes.in.channels / sizes.s.kernel.width / sizes.s.kernel.height;
  double sum = 0;
  for (int64_t row = 0; row < sizes.s.rows; ++row) {
    for (int64_t i = 0; i < sizes.out.height; ++i) {
      for (int64_t j = 0; j < sizes.out.width; ++j) {
        const Position from{row, sizes.x_row(i, k), sizes.x_column(j, l), c};
        if (!sizes.inside(from.i, from.j)) continue;
        sum += double{x[static_cast<size_t>(index_in(sizes.in, from))]} *
               double{y[static_cast<size_t>(index_in(sizes.out, {row, i, j, o}))]};
      }
    }
  }
  return sum;
}

}  // namespace

int64_t result_size(const PlanRequest& request) {
  const ConvolutionShape& s = request.shape;
  switch (request.pass) {
    case Pass::forward:
      return s.rows * s.output().size();
    case Pass::backward_data:
      return s.rows * s.input.size();
    default:
      return s.weights();
  }
}

double result_at(const PlanRequest& request, int64_t index, std::span<const float> x,
                 std::span<const float> weight, std::span<const float> y) {
  const Sizes sizes{request.shape};
  switch (request.pass) {
    case Pass::forward:
      return forward_at(sizes, position_in(sizes.out, index), x, weight);
    case Pass::backward_data:
      return backward_data_at(sizes, position_in(sizes.in, index), weight, y);
    default:
      return backward_weight_at(sizes, index, x, y);
  }
}

}  // namespace ebm::cuda
