// SPDX-License-Identifier: MIT
#include "kernels/cpu/narrow_convolution.h"

#include <algorithm>

#include "kernels/cpu/parts.h"

namespace ebm::cpu {

namespace {

int64_t taps(const ConvolutionShape& s) {
  return s.kernel.height * s.kernel.width;
}

/// The pixels of one image on the side of many channels, where p and q live.
Features wide_side(Pass pass, const ConvolutionShape& s) {
  return pass == Pass::backward_data ? s.output() : s.input;
}

/// Numbers of p or q for a pixel.
int64_t depth(Pass pass, const ConvolutionShape& s) {
  return taps(s) * (pass == Pass::backward_data ? s.input.channels : s.output_channels);
}

/// f(tap, in, out, count): the `count` pixels of the input from `in` on meet those of the output from `out`
/// on through this tap of the kernel.
template <class F>
void for_runs(const ConvolutionShape& s, const F& f) {
  const Features output = s.output();
  for (int64_t k = 0; k < s.kernel.height; ++k) {
    for (int64_t i = 0; i < output.height; ++i) {
      const int64_t row = i + k - s.padding.height;
      if (row < 0 || row >= s.input.height) continue;
      for (int64_t l = 0; l < s.kernel.width; ++l) {
        const int64_t shift = l - s.padding.width;
        const int64_t first = std::max<int64_t>(0, -shift),
                      last = std::min(output.width, s.input.width - shift);
        if (first >= last) continue;
        f(k * s.kernel.width + l, row * s.input.width + first + shift, i * output.width + first,
          last - first);
      }
    }
  }
}

/// y of one image.
void gather_outputs(const ConvolutionShape& s, const float* p, float* y) {
  const int64_t channels = s.output_channels, each = taps(s);
  std::fill_n(y, s.output().size(), 0.0f);
  for_runs(s, [&](int64_t tap, int64_t in, int64_t out, int64_t count) {
    for (int64_t n = 0; n < count; ++n) {
      const float* const from = p + (in + n) * channels * each + tap;
      for (int64_t o = 0; o < channels; ++o) y[(out + n) * channels + o] += from[o * each];
    }
  });
}

/// x_bar of one image.
void gather_inputs(const ConvolutionShape& s, const float* p, float* x_bar) {
  const int64_t channels = s.input.channels, each = taps(s);
  std::fill_n(x_bar, s.input.size(), 0.0f);
  for_runs(s, [&](int64_t tap, int64_t in, int64_t out, int64_t count) {
    for (int64_t n = 0; n < count; ++n) {
      const float* const from = p + ((out + n) * each + tap) * channels;
      for (int64_t c = 0; c < channels; ++c) x_bar[(in + n) * channels + c] += from[c];
    }
  });
}

/// q of one image.
void spread_outputs(const ConvolutionShape& s, const float* y_bar, float* q) {
  const int64_t channels = s.output_channels, each = taps(s);
  std::fill_n(q, s.input.pixels() * channels * each, 0.0f);
  for_runs(s, [&](int64_t tap, int64_t in, int64_t out, int64_t count) {
    for (int64_t n = 0; n < count; ++n) {
      float* const to = q + (in + n) * channels * each + tap;
      for (int64_t o = 0; o < channels; ++o) to[o * each] = y_bar[(out + n) * channels + o];
    }
  });
}

}  // namespace

bool NarrowConvolution::suits(Pass pass, const ConvolutionShape& shape) {
  constexpr int64_t few = 4, many = 16;
  const int64_t in = shape.input.channels, out = shape.output_channels;
  const bool narrow = pass == Pass::backward_data ? in <= few && out >= many : out <= few && in >= many;
  return narrow && shape.stride == square(1);
}

size_t NarrowConvolution::workspace_bytes(Pass pass, const ConvolutionShape& shape) {
  return static_cast<size_t>(shape.rows * wide_side(pass, shape).pixels() * depth(pass, shape)) *
         sizeof(float);
}

/// f(image) for all of them, some at the same time.
template <class F>
void NarrowConvolution::for_images(const ConvolutionShape& shape, const F& f) {
  const Parts parts =
      cut(shape.rows, shape.rows * shape.output().size() * taps(shape) * shape.input.channels / 16);
  threads_.run(parts.count, [&](int64_t part) {
    for (int64_t image = parts[part].first; image < parts[part].last; ++image) f(image);
  });
}

void NarrowConvolution::run(Pass pass, const ConvolutionShape& s, float* x, float* weight, float* y,
                            Write mode, float* workspace) {
  const int64_t wide_pixels = wide_side(pass, s).pixels(), each = wide_pixels * depth(pass, s);
  Gemm product{
      .m = s.rows * wide_pixels, .n = depth(pass, s), .inner = 0, .a = nullptr, .b = weight, .c = workspace};
  switch (pass) {
    case Pass::forward:
      product.inner = s.input.channels;
      product.a = x;
      product.transpose_b = Transpose::yes;
      products_.run(product);
      return for_images(s, [&](int64_t image) {
        gather_outputs(s, workspace + image * each, y + image * s.output().size());
      });
    case Pass::backward_data:
      product.inner = s.output_channels;
      product.a = y;
      products_.run(product);
      return for_images(
          s, [&](int64_t image) { gather_inputs(s, workspace + image * each, x + image * s.input.size()); });
    case Pass::backward_weight:
      for_images(s, [&](int64_t image) {
        spread_outputs(s, y + image * s.output().size(), workspace + image * each);
      });
      return products_.run({.m = depth(pass, s),
                            .n = s.input.channels,
                            .inner = s.rows * wide_pixels,
                            .a = workspace,
                            .transpose_a = Transpose::yes,
                            .b = x,
                            .c = weight,
                            .beta = mode == Write::accumulate ? 1.0f : 0.0f});
  }
}

}  // namespace ebm::cpu
