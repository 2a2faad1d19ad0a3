// SPDX-License-Identifier: MIT
// Lays the page out (all lengths of struct Page are pixels at scale 1) and draws it; panels' contents are in
// panel.cpp.
#include "plot/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/atomic_file.h"
#include "plot/curves.h"
#include "plot/panel.h"
#include "plot/pen.h"

namespace ebm {
namespace {

constexpr double margin = 14;
constexpr double column_gap = 28, row_gap = 20;
constexpr double bar_gap = 9, bar_width = 12;
constexpr double caption_line = 1.45 * caption_text;
constexpr double points_a_pixel = 0.75;  // of the layout: 1/96 inch

struct Page {
  std::vector<double> column_left, row_top;  // of the panels' rectangles
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

/// The room around a panel's rectangle for what belongs to it.
struct Around {
  double left = 0, right = 0, below = 0;
};

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

bool on_shared_axes(const Panel& panel) {
  return std::holds_alternative<Scatter>(panel.content) || std::holds_alternative<HeatMap>(panel.content);
}

void check(const Figure& figure) {
  if (!(figure.lo < figure.hi) || !std::isfinite(figure.hi - figure.lo) || !(figure.tick_step > 0) ||
      !(figure.hi - figure.lo <= 1000 * figure.tick_step)) {
    throw Error(fmt::format(
        "a figure with axes from {} to {} and ticks every {}; give lo < hi and at most 1000 ticks", figure.lo,
        figure.hi, figure.tick_step));
  }
  if (figure.panel_size < 50 || figure.panel_size > 2000 || !(figure.scale >= 0.5 && figure.scale <= 8) ||
      !(figure.aspect >= 0.1 && figure.aspect <= 10)) {
    throw Error(fmt::format(
        "a figure with panels of {} pixels, aspect {} at scale {}; give 50..2000, 0.1..10 and 0.5..8",
        figure.panel_size, figure.aspect, figure.scale));
  }
  for (const auto& row : figure.rows) {
    for (const auto& panel : row) {
      check_panel(panel);
      if (on_shared_axes(panel) && figure.aspect != 1)
        throw Error(
            fmt::format("panel '{}': points and maps lie in a square; give the figure the aspect 1, not {}",
                        panel.title, figure.aspect));
    }
  }
}

double width_of_panels(const Figure& figure) {
  return std::round(figure.aspect * static_cast<double>(figure.panel_size));
}

/// Which labels of the shared axes a panel has: those of the first column and of the last row.
Around around(const Figure& figure, size_t r, size_t c, const Font& font) {
  const Panel& panel = figure.rows[r][c];
  if (const auto* curves = std::get_if<Curves>(&panel.content)) {
    const CurveAxes axes =
        curve_axes(*curves, width_of_panels(figure), static_cast<double>(figure.panel_size), font);
    return {.left = axes.left, .right = axes.right, .below = axes.below};
  }
  Around room;
  if (!on_shared_axes(panel)) return room;
  if (c == 0)
    room.left = tick_length + tick_gap + widest(axis_ticks(figure.lo, figure.hi, figure.tick_step), font);
  if (r + 1 == figure.rows.size()) room.below = tick_length + 4 + tick_text;
  if (const auto bar = bar_of(panel))
    room.right = bar_gap + bar_width + tick_length + 3 + widest(bar->ticks, font);
  return room;
}

void lay_out_columns(Page& page, const Figure& figure, size_t columns, const Font& font) {
  double x = margin;
  if (!figure.row_headers.empty()) {
    page.row_header_baseline = x + header_text;
    x += 1.5 * header_text;
  }
  for (size_t c = 0; c < columns; ++c) {
    Around most;
    for (size_t r = 0; r < figure.rows.size(); ++r) {
      if (c >= figure.rows[r].size()) continue;
      const Around room = around(figure, r, c, font);
      most.left = std::max(most.left, room.left);
      most.right = std::max(most.right, room.right);
    }
    page.column_left.push_back(x + most.left);
    x += most.left + width_of_panels(figure) + most.right + column_gap;
  }
  page.width = x - column_gap + margin;
}

Page lay_out(const Figure& figure, size_t columns, const Font& font) {
  Page page;
  lay_out_columns(page, figure, columns, font);
  double y = margin;
  if (!figure.column_headers.empty()) {
    page.header_baseline = y + header_text;
    y += 1.7 * header_text;
  }
  for (size_t r = 0; r < figure.rows.size(); ++r) {
    const auto& row = figure.rows[r];
    const bool titled = std::any_of(row.begin(), row.end(), [](const Panel& p) { return !p.title.empty(); });
    if (titled) y += 1.6 * title_text;
    page.row_top.push_back(y);
    double below = 0;
    for (size_t c = 0; c < row.size(); ++c) below = std::max(below, around(figure, r, c, font).below);
    y += static_cast<double>(figure.panel_size) + below + row_gap;
  }
  y -= row_gap;
  page.caption = wrap(figure.caption, page.width - 2 * margin, font);
  if (!page.caption.empty()) {
    page.caption_top = y + 10;
    y = page.caption_top + caption_line * static_cast<double>(page.caption.size());
  }
  page.height = y + margin;
  return page;
}

void draw_axes(const Pen& pen, const Figure& figure, const Box& panel, bool label_left, bool label_below) {
  const double x = panel.left, y = panel.top, side = panel.height;
  for (const auto& t : axis_ticks(figure.lo, figure.hi, figure.tick_step)) {
    const double along = (t.value - figure.lo) / (figure.hi - figure.lo) * (side - 1);
    pen.box(x + along, y + side, 1, tick_length, ink);
    pen.box(x - tick_length, y + side - 1 - along, tick_length, 1, ink);
    if (label_below) {
      pen.write(t.label, x + along + 0.5, y + side + tick_length + 2 + tick_text, tick_text, Align::centre);
    }
    if (label_left) {
      pen.write(t.label, x - tick_length - tick_gap, y + side - 0.5 - along + half_height(tick_text),
                tick_text, Align::right);
    }
  }
  pen.frame(panel);
}

void draw_bar(const Pen& pen, const Bar& bar, double x, double y, double side) {
  // Where values lie beyond the range, the bar's end is a triangle within the panel's height.
  const double tip = 0.9 * bar_width;
  const double above = bar.range.above ? tip : 0, below = bar.range.below ? tip : 0;
  const double top = y + above, height = side - above - below;
  draw_bar_colours(pen.canvas, pen.pixel(x), pen.pixel(top), pen.pixel(bar_width), pen.pixel(height));
  pen.frame({x, top, bar_width, height});
  if (bar.range.above)
    draw_bar_tip(pen.canvas, pen.pixel(x), pen.pixel(top), pen.pixel(bar_width), -pen.pixel(tip));
  if (bar.range.below) {
    draw_bar_tip(pen.canvas, pen.pixel(x), pen.pixel(top + height), pen.pixel(bar_width), pen.pixel(tip));
  }
  for (const auto& t : bar.ticks) {
    const double along = (t.value - bar.range.lo) / (bar.range.hi - bar.range.lo) * (height - 1);
    const double at = top + height - 1 - along;
    pen.box(x + bar_width + 1, at, tick_length - 1, 1, ink);
    pen.write(t.label, x + bar_width + tick_length + 3, at + 0.5 + half_height(tick_text), tick_text,
              Align::left);
  }
}

/// The largest rectangle of the image's shape in the middle of the panel.
void draw_picture(const Pen& pen, const Image& image, const Box& panel) {
  const double zoom = std::min(panel.width / static_cast<double>(image.width),
                               panel.height / static_cast<double>(image.height));
  const double width = zoom * static_cast<double>(image.width),
               height = zoom * static_cast<double>(image.height);
  pen.canvas.picture(image, pen.pixel(panel.left + (panel.width - width) / 2),
                     pen.pixel(panel.top + (panel.height - height) / 2), pen.pixel(width), pen.pixel(height));
}

void draw_panel(const Pen& pen, const Figure& figure, const Page& page, size_t r, size_t c) {
  const Panel& panel = figure.rows[r][c];
  const Box box{page.column_left[c], page.row_top[r], width_of_panels(figure),
                static_cast<double>(figure.panel_size)};
  const Square square{pen.pixel(box.left), pen.pixel(box.top), pen.pixel(box.height), figure.lo, figure.hi};
  if (const auto* map = std::get_if<HeatMap>(&panel.content)) draw_map(pen.canvas, *map, square);
  if (const auto* scatter = std::get_if<Scatter>(&panel.content))
    draw_scatter(pen.canvas, *scatter, square, pen.scale);
  if (const auto* curves = std::get_if<Curves>(&panel.content))
    draw_curves(pen, *curves, curve_axes(*curves, box.width, box.height, pen.font), box);
  if (const auto* picture = std::get_if<Picture>(&panel.content)) draw_picture(pen, picture->image, box);
  if (on_shared_axes(panel)) draw_axes(pen, figure, box, c == 0, r + 1 == figure.rows.size());
  if (const auto bar = bar_of(panel))
    draw_bar(pen, *bar, box.left + box.width + bar_gap, box.top, box.height);
  if (!std::holds_alternative<std::monostate>(panel.content))
    pen.write_fitted(panel.title, box.left + box.width / 2, box.top - 0.5 * title_text, title_text,
                     box.width);
}

void draw_page(const Pen& pen, const Figure& figure, const Page& page) {
  const auto side = static_cast<double>(figure.panel_size);
  for (size_t r = 0; r < figure.rows.size(); ++r) {
    if (r < figure.row_headers.size()) {
      pen.write_fitted(figure.row_headers[r], page.row_header_baseline, page.row_top[r] + side / 2,
                       header_text, side, TextDirection::upward);
    }
    for (size_t c = 0; c < figure.rows[r].size(); ++c) draw_panel(pen, figure, page, r, c);
  }
  for (size_t c = 0; c < std::min(page.column_left.size(), figure.column_headers.size()); ++c) {
    pen.write_fitted(figure.column_headers[c], page.column_left[c] + width_of_panels(figure) / 2,
                     page.header_baseline, header_text, width_of_panels(figure));
  }
  for (size_t i = 0; i < page.caption.size(); ++i) {
    pen.write(page.caption[i], margin, page.caption_top + caption_line * (static_cast<double>(i) + 0.75),
              caption_text, Align::left);
  }
}

std::unique_ptr<Canvas> drawn(const Figure& figure, PictureFormat format, const Font& font) {
  check(figure);
  size_t columns = 0;
  for (const auto& row : figure.rows) columns = std::max(columns, row.size());
  if (columns == 0) throw Error("a figure without panels; give at least one");
  const Page page = lay_out(figure, columns, font);
  auto canvas = std::make_unique<Canvas>(std::lround(figure.scale * page.width),
                                         std::lround(figure.scale * page.height), paper, format,
                                         points_a_pixel / figure.scale);
  draw_page({*canvas, font, figure.scale}, figure, page);
  return canvas;
}

}  // namespace

Image draw(const Figure& figure, const Font& font) {
  return drawn(figure, PictureFormat::png, font)->image();
}

std::vector<uint8_t> draw_file(const Figure& figure, PictureFormat format, const Font& font) {
  return drawn(figure, format, font)->file();
}

void save_figure(const std::filesystem::path& path, const Figure& figure) {
  write_file(path, draw_file(figure, picture_format(path)));
}

}  // namespace ebm
