// SPDX-License-Identifier: MIT
#pragma once
// Drawing by way of Cairo, on pixels or into an SVG or PDF file. Coordinates are pixels in either case, (0, 0)
// the top left corner of the picture; in a vector file a pixel is but a length.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

enum class PictureFormat { png, svg, pdf };

/// That of a file, by its ending. Throws UsageError on any other ending than .png, .svg and .pdf.
[[nodiscard]] PictureFormat picture_format(const std::filesystem::path& path);

/// ".png", ".svg", ".pdf".
[[nodiscard]] const char* ending_of(PictureFormat format);

struct Point {
  double x = 0, y = 0;
};

enum class Align { left, centre, right };        // of the text's line relative to the given point
enum class TextDirection { rightward, upward };  // the way in which text runs
enum class Dash { solid, dashed, dotted };

class Canvas {
 public:
  /// A page of that many pixels. In SVG and PDF a pixel is `points` points (1/72 inch) wide. Throws Error on
  /// impossible sizes.
  Canvas(int64_t width, int64_t height, Rgb background, PictureFormat format = PictureFormat::png,
         double points = 0.75);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  /// Later drawing is confined to the rectangle from (x, y), of that width and height, within the picture.
  void clip(double x, double y, double width, double height);
  void clip_nothing();

  void fill(double x, double y, double width, double height, Rgb colour);
  void fill_polygon(const std::vector<Point>& corners, Rgb colour);
  /// Straight lines from point to point, joined.
  void line(const std::vector<Point>& points, double width, Rgb colour, Dash dash = Dash::solid);
  /// An antialiased disk. alpha in 0..1.
  void disk(double x, double y, double radius, Rgb colour, double alpha);
  /// The image stretched over a rectangle. Enlarged, its pixels stay squares.
  void picture(const Image& image, double x, double y, double width, double height);
  /// One line of UTF-8 text with its baseline through (x, y), aligned at x (or y when upward). Bytes that are
  /// no UTF-8 are drawn as U+FFFD.
  void text(const Font& font, std::string_view text, double x, double y, double size, Rgb colour, Align align,
            TextDirection direction = TextDirection::rightward);

  /// What was drawn, as pixels. Throws Error unless the format is png.
  [[nodiscard]] Image image() const;
  /// The file's bytes. They are a function of what was drawn: no date, no number of this process. Nothing can be
  /// drawn after it. Throws Error.
  [[nodiscard]] std::vector<uint8_t> file();

 private:
  void require_drawn() const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ebm
