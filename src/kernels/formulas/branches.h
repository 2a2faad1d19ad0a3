// SPDX-License-Identifier: MIT
// Branches of a network, side by side in the channels of one image.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// A leaky ReLU of x + bias for each pixel; x as it is where there is no bias.
struct JoinedBranch {
  const float* x = nullptr;  // rows x columns
  int64_t columns = 0;
  const float* bias = nullptr;  // columns
  float slope = 1;
};

/// out[r] = [branch 0 | branch 1 | ...] of row r.
struct JoinBranches {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, columns;                      // pixels of all images; the channels of all branches
  JoinedBranch first, second, third, fourth;  // the last ones may have no columns
  float* out;                                 // rows x columns

  template <class Uses>
  void arrays(Uses& uses) const {
    for (const JoinedBranch& branch : {first, second, third, fourth}) {
      uses.reads(branch.x, rows * branch.columns);
      uses.reads(branch.bias, branch.columns);
    }
    uses.writes(out, rows * columns);
  }

  EBM_HD int64_t work() const { return columns; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    float* to = out + row * columns;
    to = write(team, row, first, to);
    to = write(team, row, second, to);
    to = write(team, row, third, to);
    write(team, row, fourth, to);
  }

 private:
  /// The branch's columns of a row, and where the next one's begin.
  template <class Team>
  EBM_DEVICE static float* write(const Team& team, int64_t row, const JoinedBranch& branch, float* to) {
    const float* const x = branch.x + row * branch.columns;
    const float* const bias = branch.bias;
    const float slope = branch.slope;
    if (bias != nullptr) {
      team.each(branch.columns, [=](int64_t i) {
        const float sum = x[i] + bias[i];
        to[i] = sum > 0 ? sum : slope * sum;
      });
    } else {
      team.each(branch.columns, [=](int64_t i) { to[i] = x[i]; });
    }
    return to + branch.columns;
  }
};

}  // namespace ebm
