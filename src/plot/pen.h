// SPDX-License-Identifier: MIT
#pragma once
// The style of all figures, and drawing with lengths of the layout (pixels at scale 1). Used by figure.cpp and
// curves.cpp.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "plot/canvas.h"

namespace ebm {

inline constexpr double tick_length = 4, tick_gap = 4;  // of a tick, and between it and its label
inline constexpr double tick_text = 12, label_text = 13, title_text = 15, header_text = 17, caption_text = 13;
inline constexpr Rgb ink{30, 30, 30}, paper{255, 255, 255}, grid_ink{228, 228, 228};

/// Half the height of figures above the baseline, to centre a label on its tick.
inline double half_height(double size) {
  return 0.36 * size;
}

/// A rectangle of the layout.
struct Box {
  double left = 0, top = 0, width = 0, height = 0;
};

struct Pen {
  Canvas& canvas;
  const Font& font;
  double scale;  // pixels of the canvas per pixel of the layout

  /// Whole pixels where edges should be sharp.
  [[nodiscard]] double pixel(double length) const { return std::round(scale * length); }
  void box(double x, double y, double width, double height, Rgb colour) const {
    canvas.fill(pixel(x), pixel(y), std::max(pixel(width), 1.0), std::max(pixel(height), 1.0), colour);
  }
  void write(const std::string& text, double x, double y, double size, Align align,
             TextDirection direction = TextDirection::rightward) const {
    canvas.text(font, text, scale * x, scale * y, scale * size, ink, align, direction);
  }
  /// Centred text that shrinks to the room that it has.
  void write_fitted(const std::string& text, double x, double y, double size, double room,
                    TextDirection direction = TextDirection::rightward) const {
    const double width = font.width(text, size);
    write(text, x, y, width > room ? size * room / width : size, Align::centre, direction);
  }
  /// Four lines of one layout pixel around the rectangle.
  void frame(const Box& r) const {
    box(r.left - 1, r.top - 1, r.width + 2, 1, ink);
    box(r.left - 1, r.top + r.height, r.width + 2, 1, ink);
    box(r.left - 1, r.top - 1, 1, r.height + 2, ink);
    box(r.left + r.width, r.top - 1, 1, r.height + 2, ink);
  }
};

}  // namespace ebm
