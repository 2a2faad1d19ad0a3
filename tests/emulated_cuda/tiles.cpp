// SPDX-License-Identifier: MIT
// Stand-ins for CUTLASS's kernels (kernels/cuda/tiled.h): the same checks, and sums rounded as theirs
// (kernels/tf32x3.h).
#include "kernels/cuda/tiled.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "dnn_timing.h"
#include "emulated.h"
#include "kernels/tf32x3.h"

namespace ebm::cuda {

namespace {

using namespace ebm::emulated;

constexpr Tile narrow{128, 32, 16, 32, 32, 4}, deep{64, 64, 32, 32, 32, 3}, wide{128, 64, 16, 64, 32, 4},
    simple{128, 128, 8, 32, 64, 4};

Engine engine_of(Precision precision) {
  return precision == Precision::tf32x3 ? split_tiles : float32_tiles;
}

/// sum of a[k] b[k], in `split` parts that are added in order.
float sum_of(const std::vector<float>& a, const std::vector<float>& b, const Tile& tile, int64_t split,
             Precision precision) {
  const auto inner = std::ssize(a);
  float whole = 0;
  for (int64_t part = 0; part < split; ++part) {
    const int64_t first = inner * part / split, count = inner * (part + 1) / split - first;
    float sum = 0;
    if (precision == Precision::full) {
      for (int64_t k = first; k < first + count; ++k)
        sum += a[static_cast<size_t>(k)] * b[static_cast<size_t>(k)];
    } else {
      static thread_local std::vector<float> a_big, a_small;
      static thread_local std::vector<double> b_big, b_small;
      a_big.clear(), a_small.clear(), b_big.clear(), b_small.clear();
      for (int64_t k = first; k < first + count; ++k) {
        const SplitTf32 x = split_tf32(a[static_cast<size_t>(k)]), y = split_tf32(b[static_cast<size_t>(k)]);
        a_big.push_back(x.big), a_small.push_back(x.small);
        b_big.push_back(double{y.big}), b_small.push_back(double{y.small});
      }
      add_in_stages<1>({a_big.data(), a_small.data(), b_big.data(), b_small.data()}, count, tile.depth, &sum);
    }
    whole += sum;
  }
  return whole;
}

void require_array(const void* array, int64_t elements, const char* name) {
  if (reinterpret_cast<uintptr_t>(array) % 16 != 0)
    violation("a tiled kernel: %s is not at a multiple of 16 bytes", name);
  if (!inside_allocation(array, 4 * static_cast<size_t>(elements)))
    violation("a tiled kernel: %s does not lie inside one allocation of device memory", name);
}

int64_t semaphores(const ProductSize& size, const Tile& tile, int64_t split) {
  const auto parts = [](int64_t extent, int64_t part) { return (extent + part - 1) / part; };
  return split > 1 ? 4 * parts(size.rows, tile.rows) * parts(size.columns, tile.columns) : 0;
}

/// One convolution, with x and y at hand.
struct Loops {
  ConvolutionShape s;
  const float *x, *weight, *y;
  Features in = s.input, out = s.output();

  float x_at(int64_t image, int64_t i, int64_t j, int64_t c) const {
    const bool inside = i >= 0 && i < in.height && j >= 0 && j < in.width;
    return inside ? x[((image * in.height + i) * in.width + j) * in.channels + c] : 0;
  }
  /// y where x's row i meets the kernel's row k; 0 where it does not.
  float y_at(int64_t image, int64_t i, int64_t k, int64_t j, int64_t l, int64_t o) const {
    const int64_t down = i + s.padding.height - k, across = j + s.padding.width - l;
    if (down < 0 || across < 0 || down % s.stride.height != 0 || across % s.stride.width != 0) return 0;
    const int64_t row = down / s.stride.height, column = across / s.stride.width;
    const bool inside = row < out.height && column < out.width;
    return inside ? y[((image * out.height + row) * out.width + column) * out.channels + o] : 0;
  }
  bool meets(int64_t i, int64_t k, int64_t j, int64_t l) const {
    return (i + s.padding.height - k) % s.stride.height == 0 &&
           (j + s.padding.width - l) % s.stride.width == 0;
  }
  float w_at(int64_t o, int64_t k, int64_t l, int64_t c) const {
    return weight[((o * s.kernel.height + k) * s.kernel.width + l) * in.channels + c];
  }
};

template <class F>
void each_pixel(int64_t rows, const Features& f, const F& visit) {
  for (int64_t image = 0; image < rows; ++image)
    for (int64_t i = 0; i < f.height; ++i)
      for (int64_t j = 0; j < f.width; ++j)
        for (int64_t c = 0; c < f.channels; ++c) visit(image, i, j, c);
}
template <class F>
void each_tap(const ConvolutionShape& s, const F& visit) {
  for (int64_t k = 0; k < s.kernel.height; ++k)
    for (int64_t l = 0; l < s.kernel.width; ++l) visit(k, l);
}

void forward(const Loops& at, const Tile& tile, int64_t split, Precision precision, float* y) {
  std::vector<float> a, b;
  each_pixel(at.s.rows, at.out, [&](int64_t image, int64_t i, int64_t j, int64_t o) {
    a.clear(), b.clear();
    each_tap(at.s, [&](int64_t k, int64_t l) {
      for (int64_t c = 0; c < at.in.channels; ++c) {
        a.push_back(at.x_at(image, i * at.s.stride.height + k - at.s.padding.height,
                            j * at.s.stride.width + l - at.s.padding.width, c));
        b.push_back(at.w_at(o, k, l, c));
      }
    });
    *y++ = sum_of(a, b, tile, split, precision);
  });
}

void backward_data(const Loops& at, const Tile& tile, int64_t split, Precision precision, float* x) {
  std::vector<float> a, b;
  each_pixel(at.s.rows, at.in, [&](int64_t image, int64_t i, int64_t j, int64_t c) {
    a.clear(), b.clear();
    each_tap(at.s, [&](int64_t k, int64_t l) {
      if (!at.meets(i, k, j, l)) return;
      for (int64_t o = 0; o < at.out.channels; ++o) {
        a.push_back(at.y_at(image, i, k, j, l, o));
        b.push_back(at.w_at(o, k, l, c));
      }
    });
    *x++ = sum_of(a, b, tile, split, precision);
  });
}

template <ConvolutionPass pass, Precision precision, Tile tile>
struct EmulatedConvolution {
  static bool takes(const ConvolutionShape& s) {
    return s.input.channels % 4 == 0 && (s.output_channels % 4 == 0 || tile.columns == narrow.columns);
  }
  static int64_t workspace_bytes(const ConvolutionShape& s, int64_t split) {
    if (!takes(s)) return -1;
    const bool strided = s.stride.height * s.stride.width > 1;
    if (pass == ConvolutionPass::backward_data && strided && split > 1) return -1;
    return semaphores(product_size(pass, s), tile, split);
  }
  static void run(const TiledCall& call, const ConvolutionShape& s, float* x, float* weight, float* y) {
    const Lock lock(device_mutex());
    if (!takes(s)) violation("a tiled convolution: channels are no multiple of 4");
    require_array(x, s.rows * s.input.size(), "x");
    require_array(weight, s.weights(), "the weight");
    require_array(y, s.rows * s.output().size(), "y");
    const auto workspace = static_cast<size_t>(workspace_bytes(s, call.split));
    if (workspace > 0 && !inside_allocation(call.workspace, workspace))
      violation("a tiled convolution: the workspace does not lie inside one allocation of device memory");
    const Engine engine = engine_of(precision);
    const EngineFault fault = fault_of(engine);
    if (fault == EngineFault::does_not_run ||
        (fault == EngineFault::cannot_be_recorded && refuse_in_capture("planted: tiles") != cudaSuccess))
      throw Error("planted: these tiles do not run");
    const float error = fault == EngineFault::computes_wrongly ? 1.02f : 1.0f;
    queue(call.stream,
          [=] {
            std::fill_n(static_cast<std::byte*>(call.workspace), workspace, std::byte{0xFF});
            constexpr bool is_forward = pass == ConvolutionPass::forward;
            float* const result = is_forward ? y : x;
            (is_forward ? forward : backward_data)({s, x, weight, y}, tile, call.split, precision, result);
            const int64_t count = s.rows * (is_forward ? s.output() : s.input).size();
            for (int64_t i = 0; i < count; ++i) result[i] *= error;
            pass_time_of(engine);
          },
          {.type = cudaGraphNodeTypeKernel});
  }
  static constexpr TiledConvolution kernel{pass, precision, tile, workspace_bytes, run};
};

template <Transpose transpose_b, Tile tile>
struct EmulatedProduct {
  static int64_t workspace_bytes(const Gemm& g, int64_t split) {
    return semaphores(product_size(g), tile, split);
  }
  static void run(const TiledCall& call, const Gemm& g) {
    const Lock lock(device_mutex());
    if (g.n % 4 != 0 || g.inner % 4 != 0) violation("a tiled product: a row is no multiple of 4 numbers");
    require_array(g.a.address, g.m * g.inner, "a");
    require_array(g.b.address, g.n * g.inner, "b");
    require_array(g.c.address, g.m * g.n, "c");
    queue(
        call.stream,
        [=] {
          const auto* a = static_cast<const float*>(g.a.address);
          const auto* b = static_cast<const float*>(g.b.address);
          auto* c = static_cast<float*>(g.c.address);
          for (int64_t i = 0; i < g.m * g.n; ++i) {
            const int64_t row = i / g.n, column = i % g.n;
            std::vector<float> left(a + row * g.inner, a + (row + 1) * g.inner), right;
            for (int64_t k = 0; k < g.inner; ++k)
              right.push_back(transpose_b == Transpose::yes ? b[column * g.inner + k] : b[k * g.n + column]);
            const float sum = g.alpha * sum_of(left, right, tile, call.split, Precision::tf32x3);
            c[i] = g.beta == 0 ? sum : sum + g.beta * c[i];
          }
        },
        {.type = cudaGraphNodeTypeKernel});
  }
  static constexpr TiledProduct kernel{transpose_b, tile, workspace_bytes, run};
};

}  // namespace

std::span<const TiledConvolution> tiled_convolutions() {
  using enum Precision;
  static constexpr TiledConvolution kernels[] = {
      EmulatedConvolution<ConvolutionPass::forward, tf32x3, wide>::kernel,
      EmulatedConvolution<ConvolutionPass::forward, tf32x3, deep>::kernel,
      EmulatedConvolution<ConvolutionPass::forward, tf32x3, narrow>::kernel,
      EmulatedConvolution<ConvolutionPass::backward_data, tf32x3, wide>::kernel,
      EmulatedConvolution<ConvolutionPass::backward_data, tf32x3, deep>::kernel,
      EmulatedConvolution<ConvolutionPass::forward, full, simple>::kernel,
      EmulatedConvolution<ConvolutionPass::backward_data, full, simple>::kernel};
  return kernels;
}

std::span<const TiledProduct> tiled_products() {
  static constexpr TiledProduct kernels[] = {EmulatedProduct<Transpose::no, deep>::kernel,
                                             EmulatedProduct<Transpose::yes, deep>::kernel};
  return kernels;
}

const char* why_no_tiles() {
  return nullptr;
}

}  // namespace ebm::cuda
