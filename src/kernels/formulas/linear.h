// SPDX-License-Identifier: MIT
// The parts of y = x W^T + b that are no matrix product, and sums over rows.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

/// y[r, c] = a leaky ReLU of y[r, c] + bias[c]; slope 1: the sum itself.
struct AddBias {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  const float* bias;  // columns
  float* y;           // rows x columns
  float slope = 1;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(bias, columns);
    uses.updates(y, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const float x = y[row * columns + column] + bias[column];
    y[row * columns + column] = x > 0 ? x : slope * x;
  }
};

/// y += x.
struct AddTo {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  const float* x;  // rows x columns
  float* y;        // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.updates(y, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    y[i] += x[i];
  }
};

/// out[c] (+)= sum over rows of weight[r / pixels] x[r, c]; weight null: 1. A bias's gradient.
struct ColumnSum {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  const float* x;           // rows x columns
  const float* row_weight;  // rows / pixels, or null
  float* out;               // columns
  Write mode;
  int64_t pixels = 1;  // rows that belong to one sample

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(row_weight, rows / pixels);
    uses.writes(out, columns, mode);
  }

  EBM_HD Sums<1> term(int64_t row, int64_t column) const {
    const double w = row_weight != nullptr ? row_weight[quotient32(row, pixels)] : 1.0f;
    return {{w * x[row * columns + column]}};
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
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t tangent_rows;
  const float* x;      // rows x columns
  const float* x_dot;  // tangent_rows x columns
  const float* a;      // rows
  const float* b;      // tangent_rows
  float* out;          // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.reads(x_dot, tangent_rows * columns);
    uses.reads(a, rows);
    uses.reads(b, tangent_rows);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    out[i] = row < tangent_rows ? a[row] * x[i] + b[row] * x_dot[i] : a[row] * x[i];
  }
};

}  // namespace ebm
