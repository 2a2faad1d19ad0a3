// SPDX-License-Identifier: MIT
// Some of the columns of arrays whose rows are longer: rows that are put together from two, or taken apart.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// Number i of an array, whatever its type.
EBM_HD inline float number_of(ConstArray x, int64_t i) {
  return x.type == Type::bfloat16 ? expanded(static_cast<const bfloat16*>(x.address)[i])
                                  : static_cast<const float*>(x.address)[i];
}
EBM_HD inline void set_number(Array x, int64_t i, float value) {
  if (x.type == Type::bfloat16) {
    static_cast<bfloat16*>(x.address)[i] = rounded<bfloat16>(value);
  } else {
    static_cast<float*>(x.address)[i] = value;
  }
}

/// out[r] = [left[r] | s right[r]]: rows of `left_columns` numbers and of what is left of `columns`; a part
/// of longer rows where left_columns is 0. Rows of `right` are right_step apart.
struct JoinColumns {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int64_t left_columns = 0;
  ConstArray left = nullptr;  // rows x left_columns
  ConstArray right;           // null: zeros
  int64_t right_step;
  const float* scale = nullptr;  // s; null: 1
  Array out;                     // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(left, rows * left_columns);
    uses.gathers(right, rows > 0 ? (rows - 1) * right_step + columns - left_columns : 0);
    if (present(right)) uses.reads(scale, 1);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    float value = 0;
    if (column < left_columns) {
      value = number_of(left, row * left_columns + column);
    } else if (present(right)) {
      value = number_of(right, row * right_step + column - left_columns);
      if (scale != nullptr) value *= *scale;
    }
    set_number(out, row * columns + column, value);
  }
};

/// out[r] = x[r] + s part[r], s = 1 without a scale. Rows of `part` are part_step apart.
struct AddColumns {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  ConstArray x;  // rows x columns
  ConstArray part;
  int64_t part_step;
  const float* scale;  // s; null: 1
  Array out;           // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.gathers(part, rows > 0 ? (rows - 1) * part_step + columns : 0);
    uses.reads(scale, 1);
    uses.writes(out, rows * columns);
  }

  EBM_HD void operator()(int64_t row, int64_t column) const {
    const int64_t i = row * columns + column;
    set_number(
        out, i,
        number_of(x, i) + (scale != nullptr ? *scale : 1.0f) * number_of(part, row * part_step + column));
  }
};

/// sums[r] = <x[r], part[r]>. Rows of `part` are part_step apart; 0: all are one.
struct RowDots {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, columns;
  ConstArray x;  // rows x columns
  ConstArray part;
  int64_t part_step;
  double* sums;  // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * columns);
    uses.gathers(part, rows > 0 ? (rows - 1) * part_step + columns : 0);
    uses.writes(sums, rows);
  }

  EBM_HD int64_t work() const { return columns; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const int64_t x_first = row * columns, part_first = row * part_step;
    const ConstArray a = x, b = part;
    const double sum = team.sum(columns, [=](int64_t i) {
      return static_cast<double>(number_of(a, x_first + i)) * number_of(b, part_first + i);
    });
    team.single([&] { sums[row] = sum; });
  }
};

/// y = exp(x), a number.
struct ExpOf {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows = 1, columns = 1;
  const float* x;  // 1
  float* y;        // 1

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, 1);
    uses.writes(y, 1);
  }

  EBM_HD void operator()(int64_t, int64_t) const { *y = static_cast<float>(exp(static_cast<double>(*x))); }
};

/// out (+)= s times the sum of sums[0 .. count), a number.
struct ScaledTotal {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t count;
  const double* sums;  // count
  const float* scale;  // s
  float* out;          // 1
  Write mode;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(sums, count);
    uses.reads(scale, 1);
    uses.writes(out, 1, mode);
  }

  EBM_HD int64_t work() const { return count; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double* const from = sums;
    const double total = team.sum(count, [=](int64_t i) { return from[i]; });
    team.single([&] { write(*out, static_cast<float>(*scale * total), mode); });
  }
};

}  // namespace ebm
