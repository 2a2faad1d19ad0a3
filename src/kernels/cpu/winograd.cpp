// SPDX-License-Identifier: MIT
#include "kernels/cpu/winograd.h"

#include <algorithm>

#include "kernels/cpu/parts.h"
#include "kernels/cpu/winograd_transforms.h"

namespace ebm::cpu {

namespace {

using namespace winograd;

constexpr int64_t positions = points * points;
constexpr int64_t position(int i, int j) {
  return points * i + j;
}
constexpr int64_t stride = 2, parities = stride * stride, padding = 1, kernel = taps * stride;

/// From the matrix of one position to the next. The gap, a line of the cache, keeps the same element of all
/// matrices from competing for the same places there.
int64_t step(int64_t rows, int64_t columns) {
  return rows * columns + 16;
}

/// Tiles and channels of a pass, and what it keeps for them. Images are taken a few at a time, so that v and
/// m stay in the cache from the transform to the product.
struct Plan {
  explicit Plan(const ConvolutionShape& shape)
      : shape(shape),
        tile_rows(shape.output().height / tile),
        tile_columns(shape.output().width / tile),
        tiles(tile_rows * tile_columns),
        inputs(parities * shape.input.channels),
        outputs(shape.output_channels) {
    constexpr int64_t tiles_at_a_time = 256;  // enough for products at full speed
    images = std::clamp<int64_t>(tiles_at_a_time / tiles, 1, shape.rows);
    step_u = step(inputs, outputs);
    step_v = step(images * tiles, inputs);
    step_m = step(images * tiles, outputs);
  }

  ConvolutionShape shape;
  int64_t tile_rows, tile_columns, tiles;  // of an image
  int64_t inputs, outputs;                 // pqc, o
  int64_t images;                          // at a time
  int64_t step_u, step_v, step_m;
};

/// f(first channel) for all vectors of channels.
template <class F>
void for_lanes(int64_t channels, const F& f) {
  for (int64_t c = 0; c < channels; c += lanes) f(c);
}

/// The pixels (i, j) of x_pq, i, j < points, that a tile reads.
class Patch {
 public:
  Patch(const Features& input, int64_t tile_row, int64_t tile_column, int64_t parity)
      : row_(stride * tile * tile_row + parity / stride - padding),
        column_(stride * tile * tile_column + parity % stride - padding),
        input_(input) {}

  bool inside(int i, int j) const {
    const int64_t row = row_ + stride * i, column = column_ + stride * j;
    return row >= 0 && row < input_.height && column >= 0 && column < input_.width;
  }
  int64_t offset(int i, int j) const {
    return ((row_ + stride * i) * input_.width + column_ + stride * j) * input_.channels;
  }

 private:
  int64_t row_, column_;
  Features input_;
};

/// f(tile, its row, its column) for the tiles of one image.
template <class F>
void for_tiles(const Plan& plan, const F& f) {
  for (int64_t row = 0; row < plan.tile_rows; ++row) {
    for (int64_t column = 0; column < plan.tile_columns; ++column)
      f(row * plan.tile_columns + column, row, column);
  }
}

/// v of one image.
void transform_input(const Plan& plan, const float* x, float* v) {
  const Features& input = plan.shape.input;
  for_tiles(plan, [&](int64_t tile, int64_t row, int64_t column) {
    for (int64_t parity = 0; parity < parities; ++parity) {
      const Patch patch(input, row, column, parity);
      float* const to = v + tile * plan.inputs + parity * input.channels;
      for_lanes(input.channels, [&](int64_t c) {
        transform<InputTransform>(
            [&](int i, int j) {
              return patch.inside(i, j) ? load<Wide>(x + patch.offset(i, j) + c) : Lanes{};
            },
            [&](int i, int j, Lanes value) { store<Wide>(to + position(i, j) * plan.step_v + c, value); });
      });
    }
  });
}

/// x_bar of one image. Neighbouring tiles overlap by one pixel of each parity: the second one adds.
void input_gradient(const Plan& plan, const float* v, float* x_bar) {
  const Features& input = plan.shape.input;
  for_tiles(plan, [&](int64_t tile, int64_t row, int64_t column) {
    for (int64_t parity = 0; parity < parities; ++parity) {
      const Patch patch(input, row, column, parity);
      const float* const from = v + tile * plan.inputs + parity * input.channels;
      for_lanes(input.channels, [&](int64_t c) {
        transform<InputGradient>(
            [&](int i, int j) { return load<Wide>(from + position(i, j) * plan.step_v + c); },
            [&](int i, int j, Lanes value) {
              if (!patch.inside(i, j)) return;
              float* const to = x_bar + patch.offset(i, j) + c;
              const bool second = (i == 0 && row > 0) || (j == 0 && column > 0);
              store<Wide>(to, second ? load<Wide>(to) + value : value);
            });
      });
    }
  });
}

/// f(tile, offset of its first pixel in y) for the tiles of one image.
template <class F>
void for_output_tiles(const Plan& plan, const F& f) {
  const int64_t width = plan.shape.output().width;
  for_tiles(plan, [&](int64_t index, int64_t row, int64_t column) {
    f(index, (row * width + column) * tile * plan.outputs);
  });
}

/// y of one image.
void transform_output(const Plan& plan, const float* m, float* y) {
  const int64_t row = plan.shape.output().width * plan.outputs;
  for_output_tiles(plan, [&](int64_t tile, int64_t first) {
    for_lanes(plan.outputs, [&](int64_t o) {
      transform<OutputTransform>(
          [&](int i, int j) {
            return load<Wide>(m + position(i, j) * plan.step_m + tile * plan.outputs + o);
          },
          [&](int i, int j, Lanes value) { store<Wide>(y + first + i * row + j * plan.outputs + o, value); });
    });
  });
}

/// m of one image.
void output_gradient(const Plan& plan, const float* y_bar, float* m) {
  const int64_t row = plan.shape.output().width * plan.outputs;
  for_output_tiles(plan, [&](int64_t tile, int64_t first) {
    for_lanes(plan.outputs, [&](int64_t o) {
      transform<OutputGradient>(
          [&](int i, int j) { return load<Wide>(y_bar + first + i * row + j * plan.outputs + o); },
          [&](int i, int j, Lanes value) {
            store<Wide>(m + position(i, j) * plan.step_m + tile * plan.outputs + o, value);
          });
    });
  });
}

/// Offset of w_pq[k, l] in the weight of one output channel, or in the same order elsewhere.
int64_t tap(int64_t parity, int i, int j) {
  return (stride * i + parity / stride) * kernel + stride * j + parity % stride;
}

/// u[pqc, o] for `lanes` input channels from `first` on.
void transform_weight_inputs_first(const Plan& plan, const float* weight, int64_t first, float* u) {
  constexpr int64_t all_taps = kernel * kernel;
  const int64_t channels = plan.shape.input.channels;
  float block[all_taps * lanes * lanes];  // [tap][c][o]
  for_lanes(plan.outputs, [&](int64_t first_o) {
    for (int64_t o = 0; o < lanes; ++o) {
      for (int64_t t = 0; t < all_taps; ++t) {
        const float* const from = weight + ((first_o + o) * all_taps + t) * channels + first;
        for (int64_t c = 0; c < lanes; ++c) block[(t * lanes + c) * lanes + o] = from[c];
      }
    }
    for (int64_t parity = 0; parity < parities; ++parity) {
      for (int64_t c = 0; c < lanes; ++c) {
        float* const to = u + (parity * channels + first + c) * plan.outputs + first_o;
        transform<WeightTransform>(
            [&](int i, int j) { return load<Wide>(block + (tap(parity, i, j) * lanes + c) * lanes); },
            [&](int i, int j, Lanes value) { store<Wide>(to + position(i, j) * plan.step_u, value); });
      }
    }
  });
}

/// u[o, pqc] for one output channel.
void transform_weight(const Plan& plan, const float* weight, float* u) {
  const int64_t channels = plan.shape.input.channels;
  for (int64_t parity = 0; parity < parities; ++parity) {
    for_lanes(channels, [&](int64_t c) {
      transform<WeightTransform>(
          [&](int i, int j) { return load<Wide>(weight + tap(parity, i, j) * channels + c); },
          [&](int i, int j, Lanes value) {
            store<Wide>(u + position(i, j) * plan.step_u + parity * channels + c, value);
          });
    });
  }
}

/// w_bar for one output channel, of u[o, pqc].
void weight_gradient(const Plan& plan, const float* u, float* weight_bar, Write mode) {
  const int64_t channels = plan.shape.input.channels;
  for (int64_t parity = 0; parity < parities; ++parity) {
    for_lanes(channels, [&](int64_t c) {
      transform<WeightGradient>(
          [&](int i, int j) { return load<Wide>(u + position(i, j) * plan.step_u + parity * channels + c); },
          [&](int i, int j, Lanes value) {
            float* const to = weight_bar + tap(parity, i, j) * channels + c;
            store<Wide>(to, mode == Write::accumulate ? load<Wide>(to) + value : value);
          });
    });
  }
}

/// One run of one pass.
class Job {
 public:
  Job(const ConvolutionShape& shape, Threads& threads, Products& products, float* workspace)
      : plan_(shape),
        threads_(threads),
        products_(products),
        u_(workspace),
        v_(u_ + positions * plan_.step_u),
        m_(v_ + positions * plan_.step_v) {}

  void forward(const float* x, const float* weight, float* y);
  void backward_data(float* x_bar, const float* weight, const float* y_bar);
  void backward_weight(const float* x, float* weight_bar, const float* y_bar, Write mode);

 private:
  /// f(i) for i < count, at the same time on all threads; each passes so many elements.
  template <class F>
  void share(int64_t count, int64_t elements, const F& f) {
    const Parts parts = cut(count, count * elements);
    threads_.run(parts.count, [&](int64_t part) {
      for (int64_t i = parts[part].first; i < parts[part].last; ++i) f(i);
    });
  }
  /// f(first, count) for the images that are taken at a time.
  template <class F>
  void for_images(const F& f) {
    const int64_t rows = plan_.shape.rows;
    for (int64_t first = 0; first < rows; first += plan_.images)
      f(first, std::min(plan_.images, rows - first));
  }
  /// v of some images, and m.
  void transform_inputs(const float* x, int64_t count);
  void output_gradients(const float* y_bar, int64_t count);

  int64_t weights() const { return kernel * kernel * plan_.shape.input.channels; }

  Plan plan_;
  Threads& threads_;
  Products& products_;
  float *u_, *v_, *m_;
};

void Job::transform_inputs(const float* x, int64_t count) {
  const int64_t size = plan_.shape.input.size();
  share(count, size,
        [&](int64_t i) { transform_input(plan_, x + i * size, v_ + i * plan_.tiles * plan_.inputs); });
}

void Job::output_gradients(const float* y_bar, int64_t count) {
  const int64_t size = plan_.shape.output().size();
  share(count, size,
        [&](int64_t i) { output_gradient(plan_, y_bar + i * size, m_ + i * plan_.tiles * plan_.outputs); });
}

void Job::forward(const float* x, const float* weight, float* y) {
  const int64_t in = plan_.shape.input.size(), out = plan_.shape.output().size();
  share(plan_.shape.input.channels / lanes, lanes * kernel * kernel * plan_.outputs,
        [&](int64_t i) { transform_weight_inputs_first(plan_, weight, i * lanes, u_); });
  for_images([&](int64_t first, int64_t count) {
    transform_inputs(x + first * in, count);
    products_.run(
        {.m = count * plan_.tiles, .n = plan_.outputs, .inner = plan_.inputs, .a = v_, .b = u_, .c = m_},
        {.count = positions, .step_a = plan_.step_v, .step_b = plan_.step_u, .step_c = plan_.step_m});
    share(count, out, [&](int64_t i) {
      transform_output(plan_, m_ + i * plan_.tiles * plan_.outputs, y + (first + i) * out);
    });
  });
}

void Job::backward_data(float* x_bar, const float* weight, const float* y_bar) {
  const int64_t in = plan_.shape.input.size(), out = plan_.shape.output().size();
  share(plan_.outputs, weights(),
        [&](int64_t o) { transform_weight(plan_, weight + o * weights(), u_ + o * plan_.inputs); });
  for_images([&](int64_t first, int64_t count) {
    output_gradients(y_bar + first * out, count);
    products_.run(
        {.m = count * plan_.tiles, .n = plan_.inputs, .inner = plan_.outputs, .a = m_, .b = u_, .c = v_},
        {.count = positions, .step_a = plan_.step_m, .step_b = plan_.step_u, .step_c = plan_.step_v});
    share(count, in, [&](int64_t i) {
      input_gradient(plan_, v_ + i * plan_.tiles * plan_.inputs, x_bar + (first + i) * in);
    });
  });
}

void Job::backward_weight(const float* x, float* weight_bar, const float* y_bar, Write mode) {
  for_images([&](int64_t first, int64_t count) {
    transform_inputs(x + first * plan_.shape.input.size(), count);
    output_gradients(y_bar + first * plan_.shape.output().size(), count);
    products_.run(
        {.m = plan_.outputs,
         .n = plan_.inputs,
         .inner = count * plan_.tiles,
         .a = m_,
         .transpose_a = Transpose::yes,
         .b = v_,
         .c = u_,
         .beta = first > 0 ? 1.0f : 0.0f},
        {.count = positions, .step_a = plan_.step_m, .step_b = plan_.step_v, .step_c = plan_.step_u});
  });
  share(plan_.outputs, weights(),
        [&](int64_t o) { weight_gradient(plan_, u_ + o * plan_.inputs, weight_bar + o * weights(), mode); });
}

}  // namespace

bool WinogradConvolution::suits(const ConvolutionShape& s) {
  constexpr int64_t many_tiles = 32;  // else the transform of the weight takes longer than it saves
  constexpr int64_t block = 16;       // a multiple of all lanes
  const Features output = s.output();
  return s.kernel == square(kernel) && s.stride == square(stride) && s.padding == square(padding) &&
         output.height % tile == 0 && output.width % tile == 0 && s.input.channels % block == 0 &&
         s.output_channels % block == 0 && s.rows * output.pixels() >= many_tiles * tile * tile;
}

size_t WinogradConvolution::workspace_bytes(const ConvolutionShape& shape) {
  const Plan plan(shape);
  return static_cast<size_t>(positions * (plan.step_u + plan.step_v + plan.step_m)) * sizeof(float);
}

void WinogradConvolution::run(Pass pass, const ConvolutionShape& shape, float* x, float* weight, float* y,
                              Write mode, float* workspace) {
  Job job(shape, threads_, products_, workspace);
  switch (pass) {
    case Pass::forward:
      return job.forward(x, weight, y);
    case Pass::backward_data:
      return job.backward_data(x, weight, y);
    case Pass::backward_weight:
      return job.backward_weight(x, weight, y, mode);
  }
}

}  // namespace ebm::cpu
