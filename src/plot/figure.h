// SPDX-License-Identifier: MIT
#pragma once
// Figures for print: a grid of panels with axes, titles, colour bars, legends, headers and a caption on a white
// page, as PNG, SVG or PDF.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "plot/canvas.h"

namespace ebm {

/// Points as small antialiased dots. `points` holds x0, y0, x1, y1, ... in data coordinates; those outside
/// the axes, and NaN, are left out.
struct Scatter {
  std::vector<float> points = {};
  double radius = 1.1;  // pixels at scale 1
  double alpha = 0.5;
  Rgb ink{46, 62, 120};
};

/// A function on the square of the axes as colours (plot/colormap.h), interpolated between cells. `values`
/// holds n x n cells, row-major: values[i n + j] belongs to the centre of cell (i, j),
///   x = lo + (j + 1/2) h,  y = lo + (i + 1/2) h,  h = (hi - lo) / n
/// so the first row is the LOWEST. Values outside `range` (the least and largest finite value when absent) take
/// the colour of its nearer end, and the colour bar then ends in a triangle there. NaN is magenta. In a vector
/// file it is an embedded image of the figure's pixels.
struct HeatMap {
  std::vector<float> values = {};
  std::optional<std::pair<double, double>> range = {};
  bool colour_bar = false;
};

/// A line through points in their order. A coordinate that is not finite leaves a gap; a point between two gaps
/// is a dot.
struct Polyline {
  std::string name = {};  // in the legend; "" is not in it
  std::vector<double> x = {}, y = {};
  Rgb ink{46, 62, 120};
  Dash dash = Dash::solid;
  double width = 1.6;  // pixels at scale 1
};

/// Curves on axes of their own, which span all that is finite, and their legend below.
struct Curves {
  std::vector<Polyline> lines = {};
  std::string x_label = {}, y_label = {};
  std::optional<std::pair<double, double>> y_range = {};  // what lies beyond is cut off
};

/// An image, as large as the panel lets it be.
struct Picture {
  Image image = {};
};

struct Panel {
  std::string title = {};
  /// monostate: the place stays empty
  std::variant<std::monostate, Scatter, HeatMap, Curves, Picture> content = {};
};

struct Figure {
  std::vector<std::vector<Panel>> rows = {};     // a short row ends in empty places
  std::vector<std::string> row_headers = {};     // none, or one a row; written upward on the left
  std::vector<std::string> column_headers = {};  // none, or one a column
  std::string caption = {};                      // wrapped to the width of the page
  double lo = -4, hi = 4;                        // both axes of all panels with points or maps
  double tick_step = 2;
  int64_t panel_size = 300;  // pixels of a panel's height at scale 1
  double aspect = 1;         // a panel's width by its height; 1 where there are points or maps
  double scale = 2;          // pixels of the picture per pixel of the layout
};

/// Colours that differ for all eyes and on grey paper (Okabe and Ito 2008): the i-th, again from the first
/// after the last.
[[nodiscard]] Rgb curve_ink(size_t i);

/// Draws the figure. Without a font (Font()) it has no text. Throws Error, naming the panel, when a panel's
/// sizes make no sense, there is no panel, lo < hi does not hold, or the page is larger than a picture may
/// be.
[[nodiscard]] Image draw(const Figure& figure, const Font& font = Font::standard());
/// The same as the bytes of a file, a function of the figure alone. A layout's pixel is 0.75 points wide (1/96
/// inch).
[[nodiscard]] std::vector<uint8_t> draw_file(const Figure& figure, PictureFormat format,
                                             const Font& font = Font::standard());
/// The same into a file, as its ending says, whole or not at all. Throws UsageError on another ending, Error.
void save_figure(const std::filesystem::path& path, const Figure& figure);

}  // namespace ebm
