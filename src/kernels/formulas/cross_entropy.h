// SPDX-License-Identifier: MIT
// The loss of a classifier: mean over samples of -log softmax(logits)[label].
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// For each sample its loss, whether its largest logit is that of its label, and the gradient of the mean
/// loss: (softmax(logits) - [label]) / B. A label outside 0 .. classes - 1, or a NaN, gives NaN.
struct CrossEntropy {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, columns;  // B, classes
  const float* logits;    // B x classes
  const int32_t* label;   // B
  float* logits_bar;      // B x classes
  float *loss, *right;    // B

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(logits, rows * columns);
    uses.reads(label, rows);
    uses.writes(logits_bar, rows * columns);
    uses.writes({loss, right}, rows);
  }

  EBM_HD int64_t work() const { return 16 * columns; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const float* const own = logits + row * columns;
    const int64_t wanted = label[row], classes = columns;
    float largest = own[0];
    for (int64_t c = 1; c < classes; ++c) largest = own[c] > largest ? own[c] : largest;
    const double sum = team.sum(
        classes, [=](int64_t c) { return exp(static_cast<double>(own[c]) - static_cast<double>(largest)); });
    const bool valid = wanted >= 0 && wanted < classes;
    const double lost = valid ? log(sum) + largest - own[wanted] : NAN;
    const double share = 1 / static_cast<double>(rows);
    team.each(classes, [&](int64_t c) {
      const double softmax = exp(static_cast<double>(own[c]) - static_cast<double>(largest)) / sum;
      logits_bar[row * classes + c] =
          static_cast<float>(valid ? (softmax - (c == wanted ? 1 : 0)) * share : NAN);
    });
    team.single([&] {
      loss[row] = static_cast<float>(lost);
      right[row] = valid && own[wanted] >= largest ? 1.0f : 0.0f;
    });
  }
};

}  // namespace ebm
