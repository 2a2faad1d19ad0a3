// SPDX-License-Identifier: MIT
#include "plot/panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "plot/colormap.h"

namespace ebm {
namespace {

int64_t side_of(const HeatMap& map) {
  return std::lround(std::sqrt(static_cast<double>(map.values.size())));
}

std::string with_minus_sign(std::string text) {
  for (size_t at = 0; (at = text.find('-', at)) != std::string::npos;) text.replace(at, 1, "\u2212");
  return text;
}

// "3", "\u22120.25", "1.5\u00d710\u207b\u2077": the label of a multiple of `step`, with no more decimals than
// the step has.
std::string label(double value, double step) {
  const auto exponent_of = [](double x) { return static_cast<int>(std::floor(std::log10(x) + 1e-9)); };
  const int finest = exponent_of(step);
  if (std::abs(value) < 0.5 * step) return "0";
  if (finest >= -4 && std::abs(value) < 1e5)
    return with_minus_sign(fmt::format("{:.{}f}", value, std::max(0, -finest)));
  const int power = exponent_of(std::abs(value));
  constexpr const char* digits[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                    "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
  std::string raised = power < 0 ? "\u207b" : "";
  for (const char digit : std::to_string(std::abs(power))) raised += digits[digit - '0'];
  return with_minus_sign(
      fmt::format("{:.{}f}\u00d710{}", value / std::pow(10, power), std::max(0, power - finest), raised));
}

// The map's value at (row, column) in cells, counted from the centre of cell (0, 0): bilinear over the
// neighbours that are not NaN; NaN where the nearest one is. Clamped to the range, in 0..1.
float sample(const HeatMap& map, int64_t n, const ValueRange& range, double row, double column) {
  const auto clamped = [&](double x) { return std::clamp(x, 0.0, static_cast<double>(n - 1)); };
  row = clamped(row);
  column = clamped(column);
  const auto i = static_cast<int64_t>(row), j = static_cast<int64_t>(column);
  const double v = row - static_cast<double>(i), u = column - static_cast<double>(j);
  const auto value = [&](int64_t di, int64_t dj) {
    return static_cast<double>(
        map.values[static_cast<size_t>(std::min(i + di, n - 1) * n + std::min(j + dj, n - 1))]);
  };
  if (std::isnan(value(v >= 0.5 ? 1 : 0, u >= 0.5 ? 1 : 0))) return std::numeric_limits<float>::quiet_NaN();
  double sum = 0, weights = 0;
  for (const int64_t di : {0, 1}) {
    for (const int64_t dj : {0, 1}) {
      const double weight = (di == 1 ? v : 1 - v) * (dj == 1 ? u : 1 - u);
      const double x = value(di, dj);
      if (std::isnan(x)) continue;
      sum += weight * (std::clamp(x, range.lo, range.hi) - range.lo) / (range.hi - range.lo);
      weights += weight;
    }
  }
  return static_cast<float>(sum / weights);
}

void draw_map(Canvas& canvas, const HeatMap& map, const Square& square) {
  const int64_t n = side_of(map);
  const ValueRange range = range_of(map);
  std::array<Rgb, 2048> palette;
  for (size_t i = 0; i < palette.size(); ++i)
    palette[i] = colour(static_cast<float>(i) / (palette.size() - 1));
  const auto cell = [&](int64_t pixel) {
    return (static_cast<double>(pixel) + 0.5) / static_cast<double>(square.side) * static_cast<double>(n) -
           0.5;
  };
  for (int64_t y = 0; y < square.side; ++y) {
    for (int64_t x = 0; x < square.side; ++x) {
      const float value = sample(map, n, range, cell(square.side - 1 - y), cell(x));
      const Rgb pixel = std::isnan(value)
                            ? colour(value)
                            : palette[static_cast<size_t>(std::lround(value * (palette.size() - 1)))];
      canvas.blend(square.left + x, square.top + y, pixel, 1.0);
    }
  }
}

void draw_scatter(Canvas& canvas, const Scatter& scatter, const Square& square, double scale) {
  canvas.clip(square.left, square.top, square.side, square.side);
  const double per_unit = static_cast<double>(square.side) / (square.hi - square.lo);
  for (size_t i = 0; i + 1 < scatter.points.size(); i += 2) {
    const double x = scatter.points[i], y = scatter.points[i + 1];
    if (!(x >= square.lo && x <= square.hi && y >= square.lo && y <= square.hi)) continue;
    canvas.disk(static_cast<double>(square.left) + per_unit * (x - square.lo),
                static_cast<double>(square.top) + per_unit * (square.hi - y), scale * scatter.radius,
                scatter.ink, scatter.alpha);
  }
  canvas.clip_nothing();
}

}  // namespace

void check_panel(const Panel& panel) {
  if (const auto* map = std::get_if<HeatMap>(&panel.content)) {
    const int64_t n = side_of(*map);
    if (n < 1 || n * n != std::ssize(map->values)) {
      throw Error(fmt::format("panel '{}': {} values are no n x n map; give a square number", panel.title,
                              map->values.size()));
    }
    if (map->range && (!(map->range->first < map->range->second) ||
                       !std::isfinite(map->range->second - map->range->first))) {
      throw Error(fmt::format("panel '{}': a range from {} to {}; give lo < hi, both finite", panel.title,
                              map->range->first, map->range->second));
    }
  }
  if (const auto* scatter = std::get_if<Scatter>(&panel.content);
      scatter && scatter->points.size() % 2 != 0) {
    throw Error(fmt::format("panel '{}': {} coordinates; give x and y of each point", panel.title,
                            scatter->points.size()));
  }
}

ValueRange range_of(const HeatMap& map) {
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  for (const float value : map.values) {
    if (!std::isfinite(value)) continue;
    least = std::min<double>(least, value);
    largest = std::max<double>(largest, value);
  }
  ValueRange range;
  if (map.range) {
    range = {.lo = map.range->first, .hi = map.range->second};
  } else if (least <= largest) {
    range = {.lo = least, .hi = largest > least ? largest : least + std::max(1.0, std::abs(least))};
  }
  for (const float value : map.values) {
    range.below = range.below || value < range.lo;
    range.above = range.above || value > range.hi;
  }
  return range;
}

std::vector<Tick> axis_ticks(double lo, double hi, double step) {
  std::vector<Tick> ticks;
  const double slack = 1e-6 * (hi - lo);
  for (auto k = std::ceil((lo - slack) / step); k * step <= hi + slack; ++k) {
    ticks.push_back({std::clamp(k * step, lo, hi), label(k * step, step)});
  }
  return ticks;
}

std::vector<Tick> nice_ticks(double lo, double hi) {
  const double power = std::pow(10, std::floor(std::log10((hi - lo) / 4)));
  double step = power;
  for (const double factor : {2.0, 5.0}) {
    if (factor * power <= (hi - lo) / 4 * (1 + 1e-9)) step = factor * power;
  }
  return axis_ticks(lo, hi, step);
}

void draw_content(Canvas& canvas, const Panel& panel, const Square& square, double scale) {
  if (const auto* map = std::get_if<HeatMap>(&panel.content)) draw_map(canvas, *map, square);
  if (const auto* scatter = std::get_if<Scatter>(&panel.content))
    draw_scatter(canvas, *scatter, square, scale);
}

void draw_bar_colours(Canvas& canvas, int64_t left, int64_t top, int64_t width, int64_t height) {
  for (int64_t y = 0; y < height; ++y) {
    const float value = 1 - (static_cast<float>(y) + 0.5f) / static_cast<float>(height);
    canvas.fill(left, top + y, width, 1, colour(value));
  }
}

void draw_bar_tip(Canvas& canvas, int64_t left, int64_t y, int64_t width, int64_t height) {
  const int64_t rows = std::abs(height);
  const Rgb inside = colour(height < 0 ? 1 : 0);
  const double middle = static_cast<double>(left) + 0.5 * static_cast<double>(width);
  const double rim = std::max(1.0, static_cast<double>(width) / 12);  // as the frame's lines
  for (int64_t r = 0; r < rows; ++r) {
    const double half =
        0.5 * static_cast<double>(width) * (1 - (static_cast<double>(r) + 0.5) / static_cast<double>(rows));
    for (int64_t x = left - 1; x <= left + width; ++x) {
      const double distance = std::abs(static_cast<double>(x) + 0.5 - middle);
      const double cover = std::clamp(half + rim - distance + 0.5, 0.0, 1.0);
      const double core = std::clamp(half - rim - distance + 0.5, 0.0, 1.0);
      const int64_t row = height < 0 ? y - 1 - r : y + r;
      canvas.blend(x, row, {30, 30, 30}, cover);
      canvas.blend(x, row, inside, core);
    }
  }
}

}  // namespace ebm
