// SPDX-License-Identifier: MIT
// Between float32 and the type of a network's activations.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// y = x, rounded to y's type.
struct ToActivations {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows = 1, columns;
  const float* x;  // rows x columns
  Array y;         // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.writes(y, rows * columns);
  }

  Type type() const { return y.type; }
  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD Array output() const { return y; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e(x);
  }
};

/// y (+)= x.
struct FromActivations {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows = 1, columns;
  ConstArray x;  // rows x columns
  float* y;      // rows x columns
  Write mode = Write::overwrite;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.writes(y, rows * columns, mode);
  }

  Type type() const { return x.type; }
  bool aligned() const { return on_16_bytes(x, y); }
  EBM_HD float* output() const { return y; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return written(e, y, e(x), mode);
  }
};

}  // namespace ebm
