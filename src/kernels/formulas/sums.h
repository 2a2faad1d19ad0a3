// SPDX-License-Identifier: MIT
// Sums of two arrays, and sums over the rows of one.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

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

}  // namespace ebm
