// SPDX-License-Identifier: MIT
// Around an optimiser's step, over flat buffers of parameters or of their gradients: scaling of the gradient,
// clipping of it by its norm, averages of the parameters, limits.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// partial[row] = the sum of squares of chunk `row` of x. A learner whose gradients lie in several buffers
/// has their partial sums one behind the other.
struct SquaredNorm {
  static constexpr Pattern pattern = Pattern::teams;
  static constexpr int64_t chunk = 4096;
  static int64_t chunks(int64_t size) { return (size + chunk - 1) / chunk; }
  int64_t rows;  // chunks(size)
  int64_t size;
  const float* x;   // size
  double* partial;  // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, size);
    uses.writes(partial, rows);
  }

  EBM_HD int64_t work() const { return chunk; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const int64_t begin = row * chunk, count = size - begin < chunk ? size - begin : chunk;
    const float* const own = x + begin;
    const double sum = team.sum(count, [=](int64_t i) { return static_cast<double>(own[i]) * own[i]; });
    team.single([&] { partial[row] = sum; });
  }
};

/// factor = min(1, limit / (norm + 1e-6)), what PyTorch's clip_grad_norm_ multiplies a gradient by, with
/// norm = sqrt(sum of partial). A NaN stays NaN.
struct ClipFactor {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t count;
  double limit;
  const double* partial;  // count, from SquaredNorm
  float* factor;          // 1

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(partial, count);
    uses.writes(factor, 1);
  }

  EBM_HD int64_t work() const { return count; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double length = sqrt(team.sum(count, [&](int64_t i) { return partial[i]; }));
    team.single([&] {
      const double f = limit / (length + 1e-6);
      *factor = f > 1 ? 1.0f : static_cast<float>(f);
    });
  }
};

/// x *= *factor, over a flat buffer.
struct ScaleBy {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows = 1, columns;
  const float* factor;
  float* x;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(factor, 1);
    uses.updates(x, columns);
  }

  bool aligned() const { return on_16_bytes(x); }
  EBM_HD float* output() const { return x; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e(x) * *factor;
  }
};

/// average = decay average + (1 - decay) value, in float64: 1 - decay is small, and a value that does not
/// change is its own average.
struct ExponentialAverage {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows = 1, columns;
  double decay;
  const float* value;  // columns
  float* average;      // columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(value, columns);
    uses.updates(average, columns);
  }

  bool aligned() const { return on_16_bytes(value, average); }
  EBM_HD float* output() const { return average; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return as_float(decay * as_double(e(average)) + (1 - decay) * as_double(e(value)));
  }
};

/// x = min(max(x, low), high). A NaN stays NaN.
struct ClampParameter {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows = 1, columns;
  float low, high;
  float* x;  // columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.updates(x, columns);
  }

  bool aligned() const { return on_16_bytes(x); }
  EBM_HD float* output() const { return x; }
  template <class E>
  EBM_HD typename E::Value operator()(const E& e) const {
    using Value = typename E::Value;
    const Value old = e(x);
    return where(Value(low) > old, low, where(old > Value(high), high, old));
  }
};

}  // namespace ebm
