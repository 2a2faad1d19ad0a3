// SPDX-License-Identifier: MIT
#pragma once
// The parts of a figure that depend on data: contents of panels, value ranges, ticks. Used by figure.cpp.

#include <string>
#include <vector>

#include "plot/figure.h"

namespace ebm {

/// Throws Error naming the panel's title unless a heat map has n x n values and a finite range, a scatter
/// pairs, a curve as many x as y.
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
/// Multiples of 1, 2 or 5 times a power of ten in [lo, hi]: about `least` to 2.5 times as many.
[[nodiscard]] std::vector<Tick> nice_ticks(double lo, double hi, int least = 4);

/// A panel's square on the canvas: whole pixels, and the data coordinates of its edges.
struct Square {
  double left = 0, top = 0, side = 0;
  double lo = 0, hi = 1;
};
void draw_map(Canvas& canvas, const HeatMap& map, const Square& square);
void draw_scatter(Canvas& canvas, const Scatter& scatter, const Square& square, double scale);

/// The colours from 1 (top) to 0 (bottom).
void draw_bar_colours(Canvas& canvas, double left, double top, double width, double height);
/// A triangle on the base (left..left + width) at y: upward in the colour of 1 when height < 0, else downward
/// in that of 0.
void draw_bar_tip(Canvas& canvas, double left, double y, double width, double height);

}  // namespace ebm
