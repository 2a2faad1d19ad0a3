// SPDX-License-Identifier: MIT
#pragma once
// What font.cpp and canvas.cpp know of a font.

#include <cairo/cairo.h>

#include <memory>

#include "plot/canvas.h"

namespace ebm {

struct Font::Impl {
  struct Destroy {
    void operator()(cairo_font_face_t* face) const { cairo_font_face_destroy(face); }
  };
  std::unique_ptr<cairo_font_face_t, Destroy> face;
};

/// Glyphs as the font has them, at any size: no hints, no rounding of widths.
struct FontOptions {
  FontOptions() : options(cairo_font_options_create()) {
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  }
  FontOptions(const FontOptions&) = delete;
  FontOptions& operator=(const FontOptions&) = delete;
  ~FontOptions() { cairo_font_options_destroy(options); }
  cairo_font_options_t* options;
};

}  // namespace ebm
