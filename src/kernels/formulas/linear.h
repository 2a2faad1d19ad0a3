// SPDX-License-Identifier: MIT
// The part of y = x W^T + b that is no matrix product.
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

}  // namespace ebm
