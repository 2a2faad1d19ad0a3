// SPDX-License-Identifier: MIT
#pragma once
// Figures for print: a grid of square panels with axes, titles, colour bars, headers and a caption on a white
// page.

#include <cstdint>
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
/// the colour of its nearer end, and the colour bar then ends in a triangle there. NaN is magenta.
struct HeatMap {
  std::vector<float> values = {};
  std::optional<std::pair<double, double>> range = {};
  bool colour_bar = false;
};

struct Panel {
  std::string title = {};
  std::variant<std::monostate, Scatter, HeatMap> content = {};  // monostate: the place stays empty
};

struct Figure {
  std::vector<std::vector<Panel>> rows = {};     // a short row ends in empty places
  std::vector<std::string> row_headers = {};     // none, or one a row; written upward on the left
  std::vector<std::string> column_headers = {};  // none, or one a column
  std::string caption = {};                      // wrapped to the width of the page
  double lo = -4, hi = 4;                        // both axes of all panels
  double tick_step = 2;
  int64_t panel_size = 300;  // pixels of a panel's side at scale 1
  double scale = 2;          // pixels of the picture per pixel of the layout
};

/// Draws the figure. Without a font (Font()) it has no text. Throws Error, naming the panel, when a panel's
/// sizes make no sense, there is no panel, lo < hi does not hold, or the page is larger than a picture may
/// be.
[[nodiscard]] Image draw(const Figure& figure, const Font& font = Font::standard());

}  // namespace ebm
