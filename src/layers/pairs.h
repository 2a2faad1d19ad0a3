// SPDX-License-Identifier: MIT
// Blocks of values and tangents, parts of pairs that may be absent, and columns of rows.
#pragma once

#include "layers/layer.h"

namespace ebm {

/// The values and, behind them, the tangents of a block: so that linear layers take both in one call.
inline Pair pair_in(View block, int64_t batch, int64_t tangent_rows) {
  return {block.row_range(0, batch), tangent_rows > 0 ? block.row_range(batch, tangent_rows) : View{}};
}

/// `view`, if the other one is there.
inline View like(View view, ConstView other) {
  return other.empty() ? View{} : view;
}

/// The columns from `first` on, as an argument of formulas that are told how far rows are apart.
inline ConstArray columns_from(ConstView view, int64_t first) {
  return ConstView{offset(view.data, first, view.type), view.rows, view.features, view.type};
}

}  // namespace ebm
