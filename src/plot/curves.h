// SPDX-License-Identifier: MIT
#pragma once
// Panels of curves: their axes, legend and lines. Used by figure.cpp.

#include <vector>

#include "plot/figure.h"
#include "plot/panel.h"
#include "plot/pen.h"

namespace ebm {

/// An entry of a legend: which curve, where it begins from the panel's left edge, and in which line.
struct LegendEntry {
  size_t curve = 0;
  double x = 0;
  size_t line = 0;
};

/// What is around the panel's rectangle, in pixels of the layout.
struct CurveAxes {
  double x_lo = 0, x_hi = 1, y_lo = 0, y_hi = 1;
  std::vector<Tick> x_ticks = {}, y_ticks = {};
  std::vector<LegendEntry> legend = {};
  double left = 0, right = 0, below = 0;  // the room that labels and legend take
};

/// Axes of a panel of that size in the layout.
[[nodiscard]] CurveAxes curve_axes(const Curves& curves, double width, double height, const Font& font);

void draw_curves(const Pen& pen, const Curves& curves, const CurveAxes& axes, const Box& panel);

}  // namespace ebm
