// SPDX-License-Identifier: MIT
#pragma once
// Drawing on an Image: rectangles, dots, text. Coordinates are pixels, (0, 0) the top left corner of the
// picture.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "io/png.h"

namespace ebm {

/// A TrueType font by way of FreeType; without a font file it measures and draws nothing.
class Font {
 public:
  /// DejaVuSans.ttf from ../share/fonts or share/fonts beside the running program, or the system's. When
  /// there is none: a font that draws nothing, and one warning on stderr.
  static const Font& standard();

  Font();                                            // draws nothing
  explicit Font(const std::filesystem::path& file);  // throws Error when it is not a font
  Font(Font&&) noexcept;
  Font& operator=(Font&&) noexcept;
  ~Font();

  /// The advance width in pixels of a line of UTF-8 text whose em is `size` pixels.
  [[nodiscard]] double width(std::string_view text, double size) const;

 private:
  friend class Canvas;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class Align { left, centre, right };        // of the text's line relative to the given point
enum class TextDirection { rightward, upward };  // the way in which text runs

class Canvas {
 public:
  /// Throws Error on impossible sizes.
  Canvas(int64_t width, int64_t height, Rgb background);

  [[nodiscard]] const Image& image() const { return image_; }
  Image take() && { return std::move(image_); }

  /// Later drawing is confined to the rectangle from (x, y), of that width and height, within the picture.
  void clip(int64_t x, int64_t y, int64_t width, int64_t height);
  void clip_nothing();

  /// Mixes `colour` into one pixel; nothing outside the clip rectangle. alpha in 0..1.
  void blend(int64_t x, int64_t y, Rgb colour, double alpha);
  void fill(int64_t x, int64_t y, int64_t width, int64_t height, Rgb colour);
  /// An antialiased disk.
  void disk(double x, double y, double radius, Rgb colour, double alpha);
  /// One line of UTF-8 text with its baseline through (x, y), aligned at x (or y when upward).
  void text(const Font& font, std::string_view text, double x, double y, double size, Rgb colour, Align align,
            TextDirection direction = TextDirection::rightward);

 private:
  Image image_;
  int64_t left_ = 0, top_ = 0, right_ = 0, bottom_ = 0;  // what may be drawn on
};

}  // namespace ebm
