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

void require_range(const Panel& panel, const std::optional<std::pair<double, double>>& range) {
  if (!range || (range->first < range->second && std::isfinite(range->second - range->first))) return;
  throw Error(fmt::format("panel '{}': a range from {} to {}; give lo < hi, both finite", panel.title,
                          range->first, range->second));
}

}  // namespace

void check_panel(const Panel& panel) {
  if (const auto* map = std::get_if<HeatMap>(&panel.content)) {
    const int64_t n = side_of(*map);
    if (n < 1 || n * n != std::ssize(map->values)) {
      throw Error(fmt::format("panel '{}': {} values are no n x n map; give a square number", panel.title,
                              map->values.size()));
    }
    require_range(panel, map->range);
  }
  if (const auto* scatter = std::get_if<Scatter>(&panel.content);
      scatter && scatter->points.size() % 2 != 0) {
    throw Error(fmt::format("panel '{}': {} coordinates; give x and y of each point", panel.title,
                            scatter->points.size()));
  }
  if (const auto* curves = std::get_if<Curves>(&panel.content)) {
    for (const Polyline& curve : curves->lines) {
      if (curve.x.size() == curve.y.size()) continue;
      throw Error(fmt::format("panel '{}': curve '{}' has {} x and {} y; give both of each point",
                              panel.title, curve.name, curve.x.size(), curve.y.size()));
    }
    require_range(panel, curves->y_range);
  }
  if (const auto* picture = std::get_if<Picture>(&panel.content))
    require_picture_size(picture->image.width, picture->image.height);
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

std::vector<Tick> nice_ticks(double lo, double hi, int least) {
  const double coarsest = (hi - lo) / least;
  const double power = std::pow(10, std::floor(std::log10(coarsest)));
  double step = power;
  for (const double factor : {2.0, 5.0}) {
    if (factor * power <= coarsest * (1 + 1e-9)) step = factor * power;
  }
  return axis_ticks(lo, hi, step);
}

void draw_map(Canvas& canvas, const HeatMap& map, const Square& square) {
  const int64_t n = side_of(map);
  const ValueRange range = range_of(map);
  std::array<Rgb, 2048> palette;
  for (size_t i = 0; i < palette.size(); ++i)
    palette[i] = colour(static_cast<float>(i) / (palette.size() - 1));
  const auto side = static_cast<int64_t>(square.side);
  const auto cell = [&](int64_t pixel) {
    return (static_cast<double>(pixel) + 0.5) / static_cast<double>(side) * static_cast<double>(n) - 0.5;
  };
  Image pixels = Image::filled(side, side, {});
  uint8_t* to = pixels.rgb.data();
  for (int64_t y = 0; y < side; ++y) {
    for (int64_t x = 0; x < side; ++x) {
      const float value = sample(map, n, range, cell(side - 1 - y), cell(x));
      const Rgb pixel = std::isnan(value)
                            ? colour(value)
                            : palette[static_cast<size_t>(std::lround(value * (palette.size() - 1)))];
      for (const uint8_t channel : {pixel.red, pixel.green, pixel.blue}) *to++ = channel;
    }
  }
  canvas.picture(pixels, square.left, square.top, square.side, square.side);
}

void draw_scatter(Canvas& canvas, const Scatter& scatter, const Square& square, double scale) {
  canvas.clip(square.left, square.top, square.side, square.side);
  const double per_unit = square.side / (square.hi - square.lo);
  for (size_t i = 0; i + 1 < scatter.points.size(); i += 2) {
    const double x = scatter.points[i], y = scatter.points[i + 1];
    if (!(x >= square.lo && x <= square.hi && y >= square.lo && y <= square.hi)) continue;
    canvas.disk(square.left + per_unit * (x - square.lo), square.top + per_unit * (square.hi - y),
                scale * scatter.radius, scatter.ink, scatter.alpha);
  }
  canvas.clip_nothing();
}

void draw_bar_colours(Canvas& canvas, double left, double top, double width, double height) {
  const auto rows = static_cast<int64_t>(height);
  Image column = Image::filled(1, std::max<int64_t>(rows, 1), {});
  for (int64_t y = 0; y < column.height; ++y) {
    const Rgb c = colour(1 - (static_cast<float>(y) + 0.5f) / static_cast<float>(column.height));
    std::copy_n(std::array{c.red, c.green, c.blue}.begin(), 3, column.rgb.begin() + 3 * y);
  }
  canvas.picture(column, left, top, width, height);
}

void draw_bar_tip(Canvas& canvas, double left, double y, double width, double height) {
  const double rim = std::max(1.0, std::round(width / 12));  // as the frame's lines
  const std::vector<Point> corners{
      {left - rim / 2, y}, {left + width + rim / 2, y}, {left + width / 2, y + height}, {left - rim / 2, y}};
  canvas.fill_polygon(corners, colour(height < 0 ? 1.0f : 0.0f));
  canvas.line(corners, rim, {30, 30, 30});
}

}  // namespace ebm
