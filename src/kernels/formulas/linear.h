// SPDX-License-Identifier: MIT
// The parts of y = x W^T + b that are no matrix product, and sums over rows.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// y[r, c] = a leaky ReLU of y[r, c] + bias[c]; slope 1: the sum itself.
struct AddBias {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  const float* bias;  // columns
  Array y;            // rows x columns
  float slope = 1;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(bias, columns);
    uses.updates(y, rows * columns);
  }

  Type type() const { return y.type; }
  bool aligned() const { return on_16_bytes(bias, y); }
  EBM_HD Array output() const { return y; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const auto x = e(y) + e.of_column(bias);
    return where(x > 0, x, slope * x);
  }
};

/// y += x.
struct AddTo {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray x;  // rows x columns
  Array y;       // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.updates(y, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD Array output() const { return y; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e(y) + e(x);
  }
};

/// out[c] (+)= sum over rows of x[r, c]. A bias's gradient.
struct ColumnSum {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  ConstArray x;  // rows x columns
  float* out;    // columns
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.writes(out, columns, mode);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x); }
  template <class E>
  EBM_HD auto term(const E& e) const {
    return Sums{as_double(e(x))};
  }
  EBM_HD void finish(int64_t column, const Sums<1>& sums) const {
    write(out[column], static_cast<float>(sums.of[0]), mode);
  }
};

/// out[c] (+)= sum over rows of weight[r / pixels] x[r, c].
struct WeightedColumnSum {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  ConstArray x;             // rows x columns
  const float* row_weight;  // rows / pixels
  float* out;               // columns
  Write mode;
  int64_t pixels = 1;  // rows that belong to one sample

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(row_weight, rows / pixels);
    uses.writes(out, columns, mode);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x); }
  template <class E>
  EBM_HD auto term(const E& e) const {
    return Sums{static_cast<double>(row_weight[quotient32(e.row, pixels)]) * as_double(e(x))};
  }
  EBM_HD void finish(int64_t column, const Sums<1>& sums) const {
    write(out[column], static_cast<float>(sums.of[0]), mode);
  }
};

/// out[0] (+)= sum of x[0 .. count): the last step of a sum that was gathered in parts.
struct TotalSum {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t count;
  const float* x;  // count
  float* out;      // 1
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, count);
    uses.writes(out, 1, mode);
  }

  EBM_HD int64_t work() const { return count; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double sum = team.sum(count, [&](int64_t i) { return static_cast<double>(x[i]); });
    team.single([&] { write(*out, static_cast<float>(sum), mode); });
  }
};

/// out[r, c] = a[r] x[r, c] + b[r] x_dot[r, c], the second term for the first `tangent_rows` rows only: the
/// input that a layer's parameters see when values and tangents share one backward signal (docs/method.md,
/// "One backward pass").
struct MixTangents {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  int64_t tangent_rows;
  ConstArray x;      // rows x columns
  ConstArray x_dot;  // tangent_rows x columns
  const float* a;    // rows
  const float* b;    // tangent_rows, every b_step-th
  int64_t b_step;
  Array out;  // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(x_dot, tangent_rows * columns);
    uses.reads(a, rows);
    uses.gathers(b, (tangent_rows - 1) * b_step + 1);
    uses.writes(out, rows * columns);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, x_dot, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e.row < tangent_rows ? a[e.row] * e(x) + b[e.row * b_step] * e(x_dot) : a[e.row] * e(x);
  }
};

/// out[r, c] (+)= b[r] x_dot[r, c] + b[r + 1] next[r, c]: two tangents more (or the first where values count
/// for nothing), or one.
struct AddTangents {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  ConstArray x_dot;  // rows x columns
  ConstArray next;   // rows x columns, or null
  const float* b;    // rows, every b_step-th and, for `next`, the number behind it
  int64_t b_step;
  Array out;  // rows x columns
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({x_dot, next}, rows * columns);
    uses.gathers(b, (rows - 1) * b_step + (present(next) ? 2 : 1));
    uses.writes(out, rows * columns, mode);
  }

  Type type() const { return x_dot.type; }
  bool aligned() const { return on_16_bytes(x_dot, next, out); }
  EBM_HD Array output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    const float* const own = b + e.row * b_step;
    auto sum = own[0] * e(x_dot);
    if (present(next)) sum = sum + own[1] * e(next);
    return written(e, out, sum, mode);
  }
};

}  // namespace ebm
