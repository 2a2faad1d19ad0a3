// SPDX-License-Identifier: MIT
// Lays the page out (all lengths of struct Page are pixels at scale 1) and draws it; panels' contents are in
// panel.cpp.
#include "plot/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "plot/panel.h"

namespace ebm {
namespace {

constexpr double margin = 14;
constexpr double column_gap = 28, row_gap = 20;
constexpr double tick = 4;
constexpr double tick_text = 12, title_text = 15, header_text = 17, caption_text = 13;
constexpr double bar_gap = 9, bar_width = 12;
constexpr double caption_line = 1.45 * caption_text;
constexpr Rgb ink{30, 30, 30}, paper{255, 255, 255};

struct Page {
  std::vector<double> column_left, row_top;  // of the panels' squares
  double width = 0, height = 0;
  double header_baseline = 0, row_header_baseline = 0, caption_top = 0;
  std::vector<std::string> caption;
};

struct Bar {
  ValueRange range;
  std::vector<Tick> ticks;
};

std::optional<Bar> bar_of(const Panel& panel) {
  const auto* map = std::get_if<HeatMap>(&panel.content);
  if (map == nullptr || !map->colour_bar) return std::nullopt;
  const ValueRange range = range_of(*map);
  return Bar{range, nice_ticks(range.lo, range.hi)};
}

double widest(const std::vector<Tick>& ticks, const Font& font) {
  double width = 0;
  for (const auto& t : ticks) width = std::max(width, font.width(t.label, tick_text));
  return width;
}

std::vector<std::string> wrap(const std::string& text, double width, const Font& font) {
  std::vector<std::string> lines;
  std::string line;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    const std::string longer = line.empty() ? word : line + " " + word;
    if (!line.empty() && font.width(longer, caption_text) > width) {
      lines.push_back(line);
      line = word;
    } else {
      line = longer;
    }
    start = end + 1;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

void check(const Figure& figure) {
  if (!(figure.lo < figure.hi) || !std::isfinite(figure.hi - figure.lo) || !(figure.tick_step > 0) ||
      !(figure.hi - figure.lo <= 1000 * figure.tick_step)) {
    throw Error(fmt::format(
        "a figure with axes from {} to {} and ticks every {}; give lo < hi and at most 1000 ticks", figure.lo,
        figure.hi, figure.tick_step));
  }
  if (figure.panel_size < 50 || figure.panel_size > 2000 || !(figure.scale >= 0.5 && figure.scale <= 8)) {
    throw Error(fmt::format("a figure with panels of {} pixels at scale {}; give 50..2000 and 0.5..8",
                            figure.panel_size, figure.scale));
  }
  for (const auto& row : figure.rows) {
    for (const auto& panel : row) check_panel(panel);
  }
}

Page lay_out(const Figure& figure, size_t columns, const Font& font) {
  const auto side = static_cast<double>(figure.panel_size);
  const auto axis = axis_ticks(figure.lo, figure.hi, figure.tick_step);
  Page page;
  double x = margin;
  if (!figure.row_headers.empty()) {
    page.row_header_baseline = x + header_text;
    x += 1.5 * header_text;
  }
  x += tick + 4 + widest(axis, font);
  for (size_t c = 0; c < columns; ++c) {
    page.column_left.push_back(x);
    double beside = 0;
    for (const auto& row : figure.rows) {
      if (c >= row.size()) continue;
      if (const auto bar = bar_of(row[c])) {
        beside = std::max(beside, bar_gap + bar_width + tick + 3 + widest(bar->ticks, font));
      }
    }
    x += side + beside + column_gap;
  }
  page.width = x - column_gap + margin;

  double y = margin;
  if (!figure.column_headers.empty()) {
    page.header_baseline = y + header_text;
    y += 1.7 * header_text;
  }
  for (const auto& row : figure.rows) {
    const bool titled = std::any_of(row.begin(), row.end(), [](const Panel& p) { return !p.title.empty(); });
    if (titled) y += 1.6 * title_text;
    page.row_top.push_back(y);
    y += side + row_gap;
  }
  y += tick + 4 + tick_text - row_gap;  // the labels of the x axis, below the last row
  page.caption = wrap(figure.caption, page.width - 2 * margin, font);
  if (!page.caption.empty()) {
    page.caption_top = y + 10;
    y = page.caption_top + caption_line * static_cast<double>(page.caption.size());
  }
  page.height = y + margin;
  return page;
}

// Draws with lengths of the layout; whole pixels where edges should be sharp.
struct Pen {
  Canvas& canvas;
  const Font& font;
  double scale;

  [[nodiscard]] int64_t pixel(double length) const { return std::lround(scale * length); }
  void box(double x, double y, double width, double height, Rgb colour) const {
    canvas.fill(pixel(x), pixel(y), std::max<int64_t>(pixel(width), 1), std::max<int64_t>(pixel(height), 1),
                colour);
  }
  void write(const std::string& text, double x, double y, double size, Align align,
             TextDirection direction = TextDirection::rightward) const {
    canvas.text(font, text, scale * x, scale * y, scale * size, ink, align, direction);
  }
  // Centred text that shrinks to the width of a panel.
  void write_fitted(const std::string& text, double x, double y, double size, double room,
                    TextDirection direction = TextDirection::rightward) const {
    const double width = font.width(text, size);
    write(text, x, y, width > room ? size * room / width : size, Align::centre, direction);
  }
  // Four lines of one layout pixel around the rectangle.
  void frame(double x, double y, double width, double height) const {
    box(x - 1, y - 1, width + 2, 1, ink);
    box(x - 1, y + height, width + 2, 1, ink);
    box(x - 1, y - 1, 1, height + 2, ink);
    box(x + width, y - 1, 1, height + 2, ink);
  }
};

// Half the height of figures above the baseline, to centre a label on its tick.
double half_height(double size) {
  return 0.36 * size;
}

void draw_axes(const Pen& pen, const Figure& figure, double x, double y, bool label_left, bool label_below) {
  const auto side = static_cast<double>(figure.panel_size);
  for (const auto& t : axis_ticks(figure.lo, figure.hi, figure.tick_step)) {
    const double along = (t.value - figure.lo) / (figure.hi - figure.lo) * (side - 1);
    pen.box(x + along, y + side, 1, tick, ink);
    pen.box(x - tick, y + side - 1 - along, tick, 1, ink);
    if (label_below)
      pen.write(t.label, x + along + 0.5, y + side + tick + 2 + tick_text, tick_text, Align::centre);
    if (label_left) {
      pen.write(t.label, x - tick - 4, y + side - 0.5 - along + half_height(tick_text), tick_text,
                Align::right);
    }
  }
  pen.frame(x, y, side, side);
}

void draw_bar(const Pen& pen, const Bar& bar, double x, double y, double side) {
  // Where values lie beyond the range, the bar's end is a triangle within the panel's height.
  const double tip = 0.9 * bar_width;
  const double above = bar.range.above ? tip : 0, below = bar.range.below ? tip : 0;
  const double top = y + above, height = side - above - below;
  draw_bar_colours(pen.canvas, pen.pixel(x), pen.pixel(top), pen.pixel(bar_width), pen.pixel(height));
  if (bar.range.above)
    draw_bar_tip(pen.canvas, pen.pixel(x), pen.pixel(top), pen.pixel(bar_width), -pen.pixel(tip));
  if (bar.range.below) {
    draw_bar_tip(pen.canvas, pen.pixel(x), pen.pixel(top + height), pen.pixel(bar_width), pen.pixel(tip));
  }
  pen.frame(x, top, bar_width, height);
  for (const auto& t : bar.ticks) {
    const double along = (t.value - bar.range.lo) / (bar.range.hi - bar.range.lo) * (height - 1);
    const double at = top + height - 1 - along;
    pen.box(x + bar_width + 1, at, tick - 1, 1, ink);
    pen.write(t.label, x + bar_width + tick + 3, at + 0.5 + half_height(tick_text), tick_text, Align::left);
  }
}

}  // namespace

Image draw(const Figure& figure, const Font& font) {
  check(figure);
  size_t columns = 0;
  for (const auto& row : figure.rows) columns = std::max(columns, row.size());
  if (columns == 0) throw Error("a figure without panels; give at least one");
  const Page page = lay_out(figure, columns, font);
  const double scale = figure.scale;
  Canvas canvas(std::lround(scale * page.width), std::lround(scale * page.height), paper);
  const Pen pen{canvas, font, scale};
  const auto side = static_cast<double>(figure.panel_size);

  for (size_t r = 0; r < figure.rows.size(); ++r) {
    const double y = page.row_top[r];
    if (r < figure.row_headers.size()) {
      pen.write_fitted(figure.row_headers[r], page.row_header_baseline, y + side / 2, header_text, side,
                       TextDirection::upward);
    }
    for (size_t c = 0; c < figure.rows[r].size(); ++c) {
      const Panel& panel = figure.rows[r][c];
      if (std::holds_alternative<std::monostate>(panel.content)) continue;
      const double x = page.column_left[c];
      const Square square{pen.pixel(x), pen.pixel(y), pen.pixel(side), figure.lo, figure.hi};
      draw_content(canvas, panel, square, scale);
      draw_axes(pen, figure, x, y, c == 0, r + 1 == figure.rows.size());
      pen.write_fitted(panel.title, x + side / 2, y - 0.5 * title_text, title_text, side);
      if (const auto bar = bar_of(panel)) {
        draw_bar(pen, *bar, x + side + bar_gap, y, side);
      }
    }
  }
  for (size_t c = 0; c < std::min(columns, figure.column_headers.size()); ++c) {
    pen.write_fitted(figure.column_headers[c], page.column_left[c] + side / 2, page.header_baseline,
                     header_text, side);
  }
  for (size_t i = 0; i < page.caption.size(); ++i) {
    pen.write(page.caption[i], margin, page.caption_top + caption_line * (static_cast<double>(i) + 0.75),
              caption_text, Align::left);
  }
  return std::move(canvas).take();
}

}  // namespace ebm
