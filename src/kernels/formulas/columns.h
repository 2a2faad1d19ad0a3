// SPDX-License-Identifier: MIT
// Columns of arrays whose rows are longer.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// Number i of an array, whatever its type.
EBM_HD inline float number_of(ConstArray x, int64_t i) {
  return x.type == Type::bfloat16 ? expanded(static_cast<const bfloat16*>(x.address)[i])
                                  : static_cast<const float*>(x.address)[i];
}
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

}  // namespace ebm
