// SPDX-License-Identifier: MIT
#pragma once
// The parts of a figure that depend on data: contents of panels, value ranges, ticks. Used by figure.cpp.

#include <string>
#include <vector>

#include "plot/figure.h"

namespace ebm {

/// Throws Error naming the panel's title unless a heat map has n x n values and a finite range, a scatter
/// pairs.
void check_panel(const Panel& panel);

/// The values that the colours of a heat map span (lo < hi), and whether there are values beyond them.
struct ValueRange {
  double lo = 0, hi = 1;
  bool below = false, above = false;
};
[[nodiscard]] ValueRange range_of(const HeatMap& map);

struct Tick {
  double value = 0;
  std::string label;
};
/// Multiples of `step` in [lo, hi].
[[nodiscard]] std::vector<Tick> axis_ticks(double lo, double hi, double step);
/// 4 to 11 multiples of 1, 2 or 5 times a power of ten in [lo, hi].
[[nodiscard]] std::vector<Tick> nice_ticks(double lo, double hi);

/// A panel's square on the canvas: pixels, and the data coordinates of its edges.
struct Square {
  int64_t left = 0, top = 0, side = 0;
  double lo = 0, hi = 1;
};
void draw_content(Canvas& canvas, const Panel& panel, const Square& square, double scale);

/// The colours from 1 (top) to 0 (bottom).
void draw_bar_colours(Canvas& canvas, int64_t left, int64_t top, int64_t width, int64_t height);
/// A triangle on the base (left..left + width) at y: upward in the colour of 1 when height < 0, else downward
/// in that of 0.
void draw_bar_tip(Canvas& canvas, int64_t left, int64_t y, int64_t width, int64_t height);

}  // namespace ebm
