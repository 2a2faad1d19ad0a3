// SPDX-License-Identifier: MIT
// Values and their tangents in one array: what a layer's parameters see when both share one backward signal
// (docs/method.md, "One backward pass").
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

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
