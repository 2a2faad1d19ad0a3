// SPDX-License-Identifier: MIT
#include "plot/curves.h"

#include <array>
#include <limits>

namespace ebm {
namespace {

constexpr double legend_line = 1.5 * tick_text, legend_sample = 22, legend_gap = 18;

struct Span {
  double lo = std::numeric_limits<double>::infinity(), hi = -lo;
  void take(double value) {
    if (!std::isfinite(value)) return;
    lo = std::min(lo, value);
    hi = std::max(hi, value);
  }
  /// A range with lo < hi, with `margin` of its length more on both sides.
  [[nodiscard]] Span widened(double margin) const {
    if (!(lo <= hi)) return {0, 1};
    // A range that vanishes beside its values has no ticks that differ.
    const double least = std::max(1e-9 * std::max(std::abs(lo), std::abs(hi)), 1e-300);
    const double room = hi - lo > least ? margin * (hi - lo) : std::max(0.5 * std::abs(lo), 0.5);
    return {lo - room, hi + room};
  }
};

double widest(const std::vector<Tick>& ticks, const Font& font) {
  double width = 0;
  for (const Tick& tick : ticks) width = std::max(width, font.width(tick.label, tick_text));
  return width;
}

/// As many ticks as find room for their labels side by side.
std::vector<Tick> x_ticks_of(const Span& x, double width, const Font& font) {
  std::vector<Tick> ticks;
  for (const int least : {4, 3, 2, 1}) {
    ticks = nice_ticks(x.lo, x.hi, least);
    if (1.25 * widest(ticks, font) * static_cast<double>(ticks.size()) <= width) break;
  }
  return ticks;
}

std::vector<LegendEntry> legend_of(const Curves& curves, double width, const Font& font) {
  std::vector<LegendEntry> entries;
  double x = 0;
  size_t line = 0;
  for (size_t i = 0; i < curves.lines.size(); ++i) {
    if (curves.lines[i].name.empty()) continue;
    const double needed = legend_sample + 5 + font.width(curves.lines[i].name, tick_text);
    if (x > 0 && x + needed > width) {
      x = 0;
      ++line;
    }
    entries.push_back({.curve = i, .x = x, .line = line});
    x += needed + legend_gap;
  }
  return entries;
}

void draw_ticks(const Pen& pen, const CurveAxes& axes, const Box& panel) {
  const double right = panel.left + panel.width, bottom = panel.top + panel.height;
  for (const Tick& tick : axes.x_ticks) {
    const double x = panel.left + (tick.value - axes.x_lo) / (axes.x_hi - axes.x_lo) * (panel.width - 1);
    pen.box(x, panel.top, 1, panel.height, grid_ink);
    pen.box(x, bottom, 1, tick_length, ink);
    pen.write(tick.label, x + 0.5, bottom + tick_length + 2 + tick_text, tick_text, Align::centre);
  }
  for (const Tick& tick : axes.y_ticks) {
    const double y = bottom - 1 - (tick.value - axes.y_lo) / (axes.y_hi - axes.y_lo) * (panel.height - 1);
    pen.box(panel.left, y, right - panel.left, 1, grid_ink);
    pen.box(panel.left - tick_length, y, tick_length, 1, ink);
    pen.write(tick.label, panel.left - tick_length - tick_gap, y + 0.5 + half_height(tick_text), tick_text,
              Align::right);
  }
}

/// The runs of points between gaps, on the canvas.
std::vector<std::vector<Point>> lines_of(const Polyline& curve, const CurveAxes& axes, const Box& panel,
                                         double scale) {
  std::vector<std::vector<Point>> lines(1);
  for (size_t i = 0; i < std::min(curve.x.size(), curve.y.size()); ++i) {
    if (!std::isfinite(curve.x[i]) || !std::isfinite(curve.y[i])) {
      if (!lines.back().empty()) lines.emplace_back();
      continue;
    }
    // Cairo counts in 24 bits; what lies far outside the panel is cut off at any place outside it.
    const auto share = [](double value, double lo, double hi) {
      return std::clamp((value - lo) / (hi - lo), -9.0, 10.0);
    };
    lines.back().push_back(
        {scale * (panel.left + panel.width * share(curve.x[i], axes.x_lo, axes.x_hi)),
         scale * (panel.top + panel.height * (1 - share(curve.y[i], axes.y_lo, axes.y_hi)))});
  }
  return lines;
}

void draw_line(Canvas& canvas, const Polyline& curve, const std::vector<Point>& points, double scale) {
  if (points.empty()) return;
  if (points.size() == 1) {
    canvas.disk(points[0].x, points[0].y, 1.2 * scale * curve.width, curve.ink, 1);
  } else {
    canvas.line(points, scale * curve.width, curve.ink, curve.dash);
  }
}

void draw_legend(const Pen& pen, const Curves& curves, const CurveAxes& axes, const Box& panel) {
  const double first =
      panel.top + panel.height + axes.below -
      legend_line * static_cast<double>(axes.legend.empty() ? 0 : axes.legend.back().line + 1);
  for (const LegendEntry& entry : axes.legend) {
    const Polyline& curve = curves.lines[entry.curve];
    const double x = panel.left + entry.x, y = first + legend_line * (static_cast<double>(entry.line) + 0.8);
    const double middle = pen.scale * (y - half_height(tick_text));
    draw_line(pen.canvas, curve, {{pen.scale * x, middle}, {pen.scale * (x + legend_sample), middle}},
              pen.scale);
    pen.write(curve.name, x + legend_sample + 5, y, tick_text, Align::left);
  }
}

}  // namespace

Rgb curve_ink(size_t i) {
  constexpr std::array<Rgb, 7> inks{{{0, 114, 178},
                                     {213, 94, 0},
                                     {0, 158, 115},
                                     {204, 121, 167},
                                     {86, 180, 233},
                                     {230, 159, 0},
                                     {0, 0, 0}}};
  return inks[i % inks.size()];
}

CurveAxes curve_axes(const Curves& curves, double width, double height, const Font& font) {
  Span x, y;
  for (const Polyline& curve : curves.lines) {
    for (size_t i = 0; i < std::min(curve.x.size(), curve.y.size()); ++i) {
      if (!std::isfinite(curve.x[i]) || !std::isfinite(curve.y[i])) continue;
      x.take(curve.x[i]);
      y.take(curve.y[i]);
    }
  }
  x = x.widened(0);
  y = curves.y_range ? Span{curves.y_range->first, curves.y_range->second} : y.widened(0.05);
  CurveAxes axes{.x_lo = x.lo, .x_hi = x.hi, .y_lo = y.lo, .y_hi = y.hi};
  axes.x_ticks = x_ticks_of(x, width, font);
  axes.y_ticks = nice_ticks(y.lo, y.hi, height < 120 ? 2 : 4);
  axes.legend = legend_of(curves, width, font);
  axes.left =
      tick_length + tick_gap + widest(axes.y_ticks, font) + (curves.y_label.empty() ? 0 : 1.5 * label_text);
  axes.right = axes.x_ticks.empty() ? 0 : font.width(axes.x_ticks.back().label, tick_text) / 2;
  axes.below = tick_length + 4 + tick_text + (curves.x_label.empty() ? 0 : 1.5 * label_text);
  if (!axes.legend.empty()) axes.below += 6 + legend_line * static_cast<double>(axes.legend.back().line + 1);
  return axes;
}

void draw_curves(const Pen& pen, const Curves& curves, const CurveAxes& axes, const Box& panel) {
  draw_ticks(pen, axes, panel);
  pen.canvas.clip(pen.pixel(panel.left), pen.pixel(panel.top), pen.pixel(panel.width),
                  pen.pixel(panel.height));
  for (const Polyline& curve : curves.lines) {
    for (const auto& points : lines_of(curve, axes, panel, pen.scale))
      draw_line(pen.canvas, curve, points, pen.scale);
  }
  pen.canvas.clip_nothing();
  pen.frame(panel);
  const double bottom = panel.top + panel.height;
  pen.write_fitted(curves.x_label, panel.left + panel.width / 2,
                   bottom + tick_length + 4 + tick_text + 1.2 * label_text, label_text, panel.width);
  pen.write_fitted(curves.y_label, panel.left - axes.left + label_text, panel.top + panel.height / 2,
                   label_text, panel.height, TextDirection::upward);
  draw_legend(pen, curves, axes, panel);
}

}  // namespace ebm
