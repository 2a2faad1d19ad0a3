// SPDX-License-Identifier: MIT
// Figures as SVG and PDF, and panels of curves and pictures.
#include <cmath>
#include <limits>
#include <regex>

#include "../io/io_fixture.h"
#include "io/atomic_file.h"
#include "plot/curves.h"
#include "plot/figure.h"

namespace ebm {
namespace {

using test::error_of;
using test::FullDisk;

constexpr Rgb white{255, 255, 255}, red{250, 10, 20};
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

class FigureFileTest : public test::IoTest {};

Figure curves_figure(std::vector<Polyline> lines) {
  return {.rows = {{{"a <title> & more", Curves{.lines = std::move(lines), .x_label = "x", .y_label = "y"}}}},
          .panel_size = 100,
          .aspect = 2,
          .scale = 1};
}

Polyline parabola() {
  Polyline line{.name = "x²", .ink = red};
  for (int i = 0; i <= 6; ++i) {
    line.x.push_back(3 + i);
    line.y.push_back((i - 1.5) * (i - 1.5));
  }
  return line;
}

Figure map_figure() {
  const HeatMap map{.values = {0.5f, 1, 2, 3}, .colour_bar = true};
  return {.rows = {{{"map", map}, {"points", Scatter{.points = {1, 2, -1, 3}}}}}, .panel_size = 60};
}

std::string text_of(const Figure& figure, PictureFormat format) {
  const std::vector<uint8_t> bytes = draw_file(figure, format);
  return {bytes.begin(), bytes.end()};
}

int64_t count(const std::string& text, const std::string& part) {
  int64_t found = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
  return found;
}

std::vector<Point> points_of(const std::string& svg, const std::string& stroke) {
  const std::regex path("<path style=\"[^\"]*stroke:" + stroke + "[^\"]*\" d=\"([^\"]*)\"([^/]*)"),
      pair("[ML] ([-0-9.]+) ([-0-9.]+)");
  std::vector<Point> points;
  std::smatch found;
  if (!std::regex_search(svg, found, path)) return points;
  const std::string numbers = found[1];
  for (std::sregex_iterator i(numbers.begin(), numbers.end(), pair), end; i != end; ++i)
    points.push_back({std::stod((*i)[1]), std::stod((*i)[2])});
  return points;
}

TEST_F(FigureFileTest, TheEndingChoosesTheFormat) {
  const Figure figure = curves_figure({parabola()});
  const std::pair<const char*, std::string> begins[] = {
      {"a.png", "\x89PNG"}, {"a.svg", "<?xml"}, {"a.pdf", "%PDF-"}};
  for (const auto& [name, first] : begins) {
    save_figure(*this / name, figure);
    const std::vector<uint8_t> bytes = read_file(*this / name);
    EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + std::ssize(first)), first);
  }
  EXPECT_EQ(read_png(*this / "a.png").rgb, draw(figure).rgb);
  for (const char* name : {"a.gif", "a", "png", "a.svg.txt", ".pdf"}) {
    EXPECT_HAS(error_of([&] { save_figure(*this / name, figure); }), "end its name in .png, .svg or .pdf");
  }
  EXPECT_EQ(count_files(), 3);
}

TEST_F(FigureFileTest, AFileIsAFunctionOfTheFigureAlone) {
  for (const PictureFormat format : {PictureFormat::png, PictureFormat::svg, PictureFormat::pdf}) {
    for (const Figure& figure : {curves_figure({parabola()}), map_figure()}) {
      const std::string first = text_of(figure, format);
      (void)draw(curves_figure({}));  // Cairo counts what a process draws
      EXPECT_EQ(text_of(figure, format), first);
      EXPECT_EQ(first.find("Date"), std::string::npos);
    }
  }
}

TEST_F(FigureFileTest, CurvesAreVectorsAndMapsAreImages) {
  const std::string curves = text_of(curves_figure({parabola()}), PictureFormat::svg),
                    maps = text_of(map_figure(), PictureFormat::svg);
  EXPECT_EQ(count(curves, "<image"), 0);
  EXPECT_GE(count(maps, "<image"), 1);
  EXPECT_EQ(count(curves + maps, "href=\"http"), 0);
  const std::string pdf = text_of(curves_figure({parabola()}), PictureFormat::pdf);
  EXPECT_EQ(count(pdf, "/Subtype /Image"), 0);
  EXPECT_GE(count(text_of(map_figure(), PictureFormat::pdf), "/Subtype /Image"), 1);
  EXPECT_GE(count(pdf, "/FontFile2"), 1) << "text is text, with its font";
}

TEST_F(FigureFileTest, ACurveIsAffineInItsNumbers) {
  const Polyline line = parabola();
  const std::vector<Point> drawn = points_of(text_of(curves_figure({line}), PictureFormat::svg),
                                             "rgb\\(98\\.03[0-9]*%,3\\.92[0-9]*%,7\\.84");
  ASSERT_EQ(drawn.size(), line.x.size());
  const double across = (drawn.back().x - drawn.front().x) / (line.x.back() - line.x.front());
  const double down = (drawn.back().y - drawn.front().y) / (line.y.back() - line.y.front());
  EXPECT_LT(down, 0) << "larger values are higher up";
  for (size_t i = 0; i < drawn.size(); ++i) {
    EXPECT_NEAR(drawn[i].x, drawn[0].x + across * (line.x[i] - line.x[0]), 0.02) << i;
    EXPECT_NEAR(drawn[i].y, drawn[0].y + down * (line.y[i] - line.y[0]), 0.02) << i;
  }
  EXPECT_NEAR(across * 6, 200, 0.1) << "the axis spans the values";
  // The y axis has a twentieth of the values' range more at both ends.
  EXPECT_NEAR(-down * 20 * 1.1, 100, 0.1);
}

/// Rows of a column of pixels where the ink is.
std::vector<int64_t> inked_rows(const Image& image, int64_t x, Rgb ink) {
  std::vector<int64_t> rows;
  for (int64_t y = 0; y < image.height; ++y) {
    if (image.at(x, y) == ink) rows.push_back(y);
  }
  return rows;
}

int64_t inked_columns(const Image& image, Rgb ink) {
  int64_t columns = 0;
  for (int64_t x = 0; x < image.width; ++x) columns += inked_rows(image, x, ink).empty() ? 0 : 1;
  return columns;
}

TEST_F(FigureFileTest, WhatIsNotFiniteIsAGap) {
  const auto drawn = [](std::vector<double> y) {
    Polyline line{.x = {}, .y = std::move(y), .ink = red, .width = 3};
    for (size_t i = 0; i < line.y.size(); ++i) line.x.push_back(static_cast<double>(i));
    return draw(curves_figure({line}), Font());
  };
  const double inf = std::numeric_limits<double>::infinity();
  const int64_t whole = inked_columns(drawn({1, 2, 1, 2, 1}), red);
  EXPECT_NEAR(static_cast<double>(whole), 200, 4);
  // One of four stretches has both its ends; a point between two gaps is a dot of 1.2 widths.
  EXPECT_NEAR(static_cast<double>(inked_columns(drawn({1, 2, nan_value, inf, 1}), red)), 50 + 4, 6);
  EXPECT_NEAR(static_cast<double>(inked_columns(drawn({nan_value, 2, nan_value, nan_value, 1}), red)), 6, 5);
  EXPECT_EQ(inked_columns(drawn({nan_value, nan_value, inf}), red), 0);
  EXPECT_EQ(inked_columns(drawn({}), red), 0);
}

TEST_F(FigureFileTest, ACurveStaysInItsPanel) {
  Figure figure = curves_figure({{.x = {0, 1, 2}, .y = {-1e300, 0.25, 1e18}, .ink = red, .width = 3}});
  std::get<Curves>(figure.rows[0][0].content).y_range = std::pair{0.0, 1.0};
  const Image image = draw(figure, Font());
  int64_t rows = 0;
  for (int64_t y = 0; y < image.height; ++y) {
    bool inked = false;
    for (int64_t x = 0; x < image.width; ++x) inked = inked || image.at(x, y) == red;
    rows += inked ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(rows), 100, 3);
}

TEST_F(FigureFileTest, TicksHaveRoomBesideEachOther) {
  const Font& font = Font::standard();
  if (font.width("x", 20) == 0) GTEST_SKIP() << "no DejaVuSans.ttf here";
  for (const double width : {60.0, 100.0, 300.0}) {
    const Curves curves{.lines = {{.x = {0, 98765}, .y = {0, 1}}}};
    double labels = 0;
    for (const Tick& tick : curve_axes(curves, width, 100, font).x_ticks)
      labels += font.width(tick.label, tick_text);
    EXPECT_LE(labels, width);
    EXPECT_GT(labels, 0);
  }
}

TEST_F(FigureFileTest, ALegendIsWrappedAndNamesWhatHasAName) {
  const Font& font = Font::standard();
  if (font.width("x", 20) == 0) GTEST_SKIP() << "no DejaVuSans.ttf here";
  Polyline line = parabola();
  line.name = std::string(30, 'w');
  Polyline unnamed = parabola();
  unnamed.name = "";
  const Curves curves{.lines = {line, unnamed, line, line}};
  const CurveAxes axes = curve_axes(curves, 200, 100, font);
  ASSERT_EQ(axes.legend.size(), 3u);
  EXPECT_EQ(axes.legend[1].curve, 2u);
  EXPECT_EQ(axes.legend[2].line, 2u);
  EXPECT_GT(axes.below, curve_axes({.lines = {line}}, 200, 100, font).below);
}

TEST_F(FigureFileTest, APictureKeepsItsPixelsAndShape) {
  Image image = Image::filled(4, 2, white);
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<uint8_t>(40 + 7 * i);
  const Image page =
      draw({.rows = {{{"", Picture{image}}}}, .panel_size = 80, .aspect = 1, .scale = 1}, Font());
  ASSERT_EQ(page.width, 80 + 2 * 14);
  for (int64_t y = 0; y < 40; ++y) {
    for (int64_t x = 0; x < 80; ++x) ASSERT_EQ(page.at(14 + x, 14 + 20 + y), image.at(x / 20, y / 20));
  }
  EXPECT_EQ(page.at(50, 14 + 19), white);
  EXPECT_EQ(page.at(50, 14 + 60), white);
}

TEST_F(FigureFileTest, WhatMakesNoSenseIsRefused) {
  const auto error = [](const Figure& figure) { return error_of([&] { (void)draw(figure, Font()); }); };
  EXPECT_HAS(error(curves_figure({{.name = "c", .x = {1, 2}, .y = {1}}})), "curve 'c' has 2 x and 1 y");
  Figure range = curves_figure({parabola()});
  std::get<Curves>(range.rows[0][0].content).y_range = std::pair{1.0, 0.0};
  EXPECT_HAS(error(range), "a range from 1 to 0");
  Figure map = map_figure();
  map.aspect = 2;
  EXPECT_HAS(error(map), "panel 'map': points and maps lie in a square");
  EXPECT_HAS(error({.rows = {{{"", Picture{}}}}}), "a picture of 0 x 0");
  Figure wide = curves_figure({parabola()});
  wide.aspect = nan_value;
  EXPECT_HAS(error(wide), "aspect nan");
}

TEST_F(FigureFileTest, AFullDiskLeavesTheOldFigure) {
  save_figure(*this / "a.pdf", curves_figure({}));
  const std::vector<uint8_t> before = read_file(*this / "a.pdf");
  {
    const FullDisk full(1000);
    EXPECT_HAS(error_of([&] { save_figure(*this / "a.pdf", map_figure()); }), "free some space");
  }
  EXPECT_EQ(read_file(*this / "a.pdf"), before);
  EXPECT_EQ(count_files(), 1);
}

}  // namespace
}  // namespace ebm
