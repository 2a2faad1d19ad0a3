// SPDX-License-Identifier: MIT
// png, colormap, canvas, figure.
#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include "../io/io_fixture.h"
#include "io/atomic_file.h"
#include "plot/colormap.h"
#include "plot/figure.h"
#include "plot/panel.h"

namespace ebm {
namespace {

using test::error_of;
using test::FullDisk;

constexpr Rgb white{255, 255, 255}, black{0, 0, 0};
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

class PictureTest : public test::IoTest {};

Image noise(int64_t width, int64_t height) {
  std::mt19937 random(5);
  Image image = Image::filled(width, height, white);
  for (auto& byte : image.rgb) byte = static_cast<uint8_t>(random());
  return image;
}

double luminance(Rgb c) {
  return 0.30 * c.red + 0.59 * c.green + 0.11 * c.blue;
}

// The share of pixels of a rectangle that are not white.
double inked(const Image& image, int64_t x, int64_t y, int64_t width, int64_t height) {
  int64_t count = 0;
  for (int64_t j = y; j < y + height; ++j) {
    for (int64_t i = x; i < x + width; ++i) count += image.at(i, j) == white ? 0 : 1;
  }
  return static_cast<double>(count) / static_cast<double>(width * height);
}

TEST_F(PictureTest, APngGivesBackItsPixels) {
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{1, 1}, {37, 11}, {300, 2}}) {
    const Image image = noise(width, height);
    write_png(*this / "a.png", image);
    const Image read = read_png(*this / "a.png");
    EXPECT_EQ(read.width, width);
    EXPECT_EQ(read.height, height);
    EXPECT_EQ(read.rgb, image.rgb);
  }
  EXPECT_EQ(count_files(), 1);
}

TEST_F(PictureTest, BadPicturesAndFilesAreErrors) {
  Image image = noise(4, 4);
  image.rgb.pop_back();
  EXPECT_HAS(error_of([&] { write_png(*this / "a.png", image); }), "47 bytes for a picture of 4 x 4");
  EXPECT_HAS(error_of([&] { write_png(*this / "a.png", Image{}); }), "0 x 0");
  EXPECT_HAS(error_of([&] { (void)Image::filled(0, 5, white); }), "0 x 5");
  EXPECT_HAS(error_of([&] { (void)Image::filled(1 << 20, 1 << 20, white); }), "1..32767");
  EXPECT_HAS(error_of([&] { (void)read_png(*this / "none.png"); }), "none.png");
  write_file(*this / "text.png", "no picture");
  EXPECT_HAS(error_of([&] { (void)read_png(*this / "text.png"); }), "text.png");
  write_png(*this / "a.png", noise(40, 40));
  auto bytes = read_file(*this / "a.png");
  bytes.resize(bytes.size() / 2);
  write_file(*this / "a.png", bytes);
  EXPECT_HAS(error_of([&] { (void)read_png(*this / "a.png"); }), "a.png");
}

TEST_F(PictureTest, AFullDiskLeavesTheOldPicture) {
  write_png(*this / "a.png", noise(3, 3));
  {
    const FullDisk full(1000);
    EXPECT_HAS(error_of([&] { write_png(*this / "a.png", noise(100, 100)); }), "free some space");
  }
  EXPECT_EQ(read_png(*this / "a.png").rgb, noise(3, 3).rgb);
  EXPECT_EQ(count_files(), 1);
}

TEST_F(PictureTest, TheColourMapDarkensEvenly) {
  EXPECT_EQ(colour(0), white);
  EXPECT_LT(luminance(colour(1)), 20);
  for (int i = 0; i <= 1000; ++i) {
    // The luminance that the formula promises, but for the rounding of three bytes: no channel was cut off.
    const double l = 1 - 0.94 * i / 1000.0;
    EXPECT_NEAR(luminance(colour(static_cast<float>(i) / 1000)), 255 * l, 0.75) << i;
  }
  EXPECT_EQ(colour(-3), colour(0));
  EXPECT_EQ(colour(std::numeric_limits<float>::infinity()), colour(1));
  EXPECT_EQ(colour(-std::numeric_limits<float>::infinity()), colour(0));
}

TEST_F(PictureTest, NanHasAColourOfItsOwn) {
  const Rgb nan_colour = colour(nan_value);
  for (int i = 0; i <= 1000; ++i) {
    const Rgb c = colour(static_cast<float>(i) / 1000);
    const int distance = std::abs(c.red - nan_colour.red) + std::abs(c.green - nan_colour.green) +
                         std::abs(c.blue - nan_colour.blue);
    EXPECT_GT(distance, 150);
  }
}

TEST_F(PictureTest, ADiskCoversItsAreaAndStaysInTheClip) {
  Canvas canvas(60, 40, black);
  canvas.disk(20.3, 17.8, 7.5, white, 1.0);
  double area = 0;
  for (const uint8_t byte : canvas.image().rgb) area += byte / 255.0 / 3;
  EXPECT_NEAR(area, M_PI * 7.5 * 7.5, 1.5);
  EXPECT_EQ(canvas.image().at(20, 17), white);
  canvas.clip(30, 0, 10, 40);
  canvas.disk(30, 20, 9, {255, 0, 0}, 0.5);
  EXPECT_EQ(canvas.image().at(29, 20), black);
  EXPECT_EQ(canvas.image().at(31, 20), (Rgb{128, 0, 0}));
  canvas.fill(-100, -100, 1000, 1000, white);
  EXPECT_EQ(canvas.image().at(30, 39), white);
  EXPECT_EQ(canvas.image().at(40, 39), black);
}

TEST_F(PictureTest, TextIsDrawnWhereItIsMeasured) {
  const Font& font = Font::standard();
  if (font.width("x", 20) == 0) GTEST_SKIP() << "no DejaVuSans.ttf here";
  const double width = font.width("Höhe −4", 20);
  EXPECT_NEAR(font.width("Höhe −4", 40), 2 * width, 0.5);
  Canvas canvas(200, 200, white);
  canvas.text(font, "Höhe −4", 100, 50, 20, black, Align::centre);
  canvas.text(font, "Höhe −4", 150, 195, 20, black, Align::left, TextDirection::upward);
  const auto half = static_cast<int64_t>(width / 2) + 2;
  EXPECT_GT(inked(canvas.image(), 100 - half, 30, 2 * half, 25), 0.1);
  EXPECT_EQ(inked(canvas.image(), 0, 0, 100 - half, 200), 0);
  EXPECT_EQ(inked(canvas.image(), 0, 56, 130, 144), 0);
  EXPECT_GT(inked(canvas.image(), 132, 195 - static_cast<int64_t>(width), 22, static_cast<int64_t>(width)),
            0.1);
  EXPECT_EQ(inked(canvas.image(), 156, 0, 44, 200), 0);
  Canvas empty(50, 20, white);
  empty.text(Font(), "nothing", 5, 15, 12, black, Align::left);
  EXPECT_EQ(inked(empty.image(), 0, 0, 50, 20), 0);
  write_file(*this / "no.ttf", "no font");
  EXPECT_HAS(error_of([&] { (void)Font(*this / "no.ttf"); }), "no.ttf");
}

TEST_F(PictureTest, TextWithBadBytesIsHarmless) {
  Canvas canvas(50, 20, white);
  for (const char* text : {"\xff\xfe", "\xe2\x82", "a\xc3", "\xf0\x9f\x98\x80", "\x80", ""}) {
    canvas.text(Font::standard(), text, 5, 15, 12, black, Align::left);
  }
}

TEST_F(PictureTest, TicksAreRoundNumbers) {
  const auto labels = [](const std::vector<Tick>& ticks) {
    std::string all;
    for (const auto& t : ticks) all += t.label + " ";
    return all;
  };
  EXPECT_EQ(labels(axis_ticks(-4, 4, 2)), "−4 −2 0 2 4 ");
  EXPECT_EQ(labels(axis_ticks(-1, 1, 0.5)), "−1.0 −0.5 0 0.5 1.0 ");
  EXPECT_EQ(labels(nice_ticks(0, 0.287)), "0 0.05 0.10 0.15 0.20 0.25 ");
  EXPECT_EQ(labels(nice_ticks(-10, 0)), "−10 −8 −6 −4 −2 0 ");
  EXPECT_EQ(labels(nice_ticks(1e-7, 4e-7)),
            "1.0×10⁻⁷ 1.5×10⁻⁷ 2.0×10⁻⁷ 2.5×10⁻⁷ 3.0×10⁻⁷ 3.5×10⁻⁷ 4.0×10⁻⁷ ");
  EXPECT_EQ(labels(nice_ticks(0, 4e6)), "0 1×10⁶ 2×10⁶ 3×10⁶ 4×10⁶ ");
  std::mt19937 random(4);
  for (int trial = 0; trial < 300; ++trial) {
    const double lo = std::ldexp(static_cast<double>(random()) - 2e9, static_cast<int>(random() % 60) - 60);
    const double hi =
        lo + std::ldexp(static_cast<double>(random() % 1000 + 1), static_cast<int>(random() % 20) - 10);
    const auto ticks = nice_ticks(lo, hi);
    EXPECT_GE(ticks.size(), 3u);
    EXPECT_LE(ticks.size(), 11u);
    for (const auto& t : ticks) EXPECT_TRUE(t.value >= lo && t.value <= hi);
  }
}

TEST_F(PictureTest, RangesAreFoundAndKept) {
  const float inf = std::numeric_limits<float>::infinity();
  ValueRange range = range_of({.values = {1, nan_value, -2, inf}});
  EXPECT_EQ(range.lo, -2);
  EXPECT_EQ(range.hi, 1);
  EXPECT_TRUE(range.above);
  EXPECT_FALSE(range.below);
  range = range_of({.values = {3, 3, 3, 3}});
  EXPECT_LT(range.lo, range.hi);
  range = range_of({.values = {nan_value, -inf, nan_value, inf}});
  EXPECT_LT(range.lo, range.hi);
  range = range_of({.values = {1, 2, 3, 4}, .range = std::pair{2.0, 5.0}});
  EXPECT_TRUE(range.below);
  EXPECT_FALSE(range.above);
}

// One panel at scale 1 without text: its square starts where the frame ends.
struct Drawn {
  Image image;
  int64_t left = 0, top = 0;
  Rgb at(double x, double y) const {  // of the panel [-4, 4]^2 with 100 pixels
    return image.at(left + static_cast<int64_t>((x + 4) / 8 * 100),
                    top + static_cast<int64_t>((4 - y) / 8 * 100));
  }
};

Drawn draw_panel(Panel panel) {
  Drawn drawn{.image = draw({.rows = {{std::move(panel)}}, .panel_size = 100, .scale = 1}, Font())};
  const Rgb frame{30, 30, 30};
  while (drawn.image.at(drawn.image.width / 2, drawn.top) != frame) ++drawn.top;
  ++drawn.top;
  while (drawn.image.at(drawn.left, drawn.top + 12) != frame) ++drawn.left;
  ++drawn.left;
  return drawn;
}

TEST_F(PictureTest, AHeatMapHasItsFirstRowBelow) {
  // 2 x 2 cells: lower left lowest, upper right highest; one NaN on the upper left.
  const Drawn d = draw_panel({.title = "", .content = HeatMap{.values = {0, 1, nan_value, 4}}});
  EXPECT_EQ(d.at(-3.5, -3.5), colour(0));
  EXPECT_NEAR(luminance(d.at(3.5, -3.5)), luminance(colour(0.25f)), 1);
  EXPECT_EQ(d.at(3.5, 3.5), colour(1));
  EXPECT_EQ(d.at(-3.5, 3.5), colour(nan_value));
}

TEST_F(PictureTest, AHeatMapInterpolatesAndClamps) {
  const float inf = std::numeric_limits<float>::infinity();
  const Drawn d = draw_panel(
      {.title = "", .content = HeatMap{.values = {-inf, 1, -inf, 9}, .range = std::pair{0.0, 2.0}}});
  EXPECT_EQ(d.at(-3.5, 0), colour(0));
  EXPECT_EQ(d.at(3.5, 3.5), colour(1));
  EXPECT_NEAR(luminance(d.at(0.02, -3.5)), luminance(colour(0.25f)), 3);  // half way between 0 and 0.5
}

TEST_F(PictureTest, AScatterShowsItsPointsAlone) {
  const Drawn d = draw_panel(
      {.title = "",
       .content = Scatter{.points = {2, -3, 100, 100, nan_value, 0, -2, 1}, .radius = 3, .alpha = 1}});
  EXPECT_EQ(d.at(2, -3), Scatter{}.ink);
  EXPECT_EQ(d.at(-2, 1), Scatter{}.ink);
  EXPECT_EQ(d.at(2, 3), white);
  EXPECT_NEAR(inked(d.image, d.left, d.top, 100, 100), 2 * M_PI * 9 / 1e4, 0.006);
}

TEST_F(PictureTest, AFigureHasRoomForAllItsText) {
  Figure figure;
  const HeatMap map{.values = {-1e-9f, 2, 3, 4}, .range = std::pair{-12345.0, 3.0}, .colour_bar = true};
  figure.rows = {{{"a title", Scatter{}}, {"a title that is far too long for a panel of this size", map}},
                 {{"", map}}};
  figure.row_headers = {"first row", "a very long header for the second row indeed"};
  figure.column_headers = {"data", "g(y) — jpq"};
  figure.caption = std::string(700, 'w') +
                   " and many more words than would fit one line of this page, so they are wrapped";
  figure.caption = figure.caption.substr(690);
  figure.panel_size = 120;
  for (const double scale : {1.0, 2.0, 0.5}) {
    figure.scale = scale;
    const Image image = draw(figure);
    const int64_t edge = std::lround(3 * scale);  // a white rim: nothing is cut off
    EXPECT_EQ(inked(image, 0, 0, image.width, edge), 0);
    EXPECT_EQ(inked(image, 0, image.height - edge, image.width, edge), 0);
    EXPECT_EQ(inked(image, 0, 0, edge, image.height), 0);
    EXPECT_EQ(inked(image, image.width - edge, 0, edge, image.height), 0);
    EXPECT_GT(inked(image, 0, 0, image.width, image.height), 0.1);
  }
}

TEST_F(PictureTest, FiguresThatMakeNoSenseAreErrors) {
  const auto error = [](const Figure& figure) { return error_of([&] { (void)draw(figure, Font()); }); };
  EXPECT_HAS(error({}), "without panels");
  EXPECT_HAS(error({.rows = {{{"map", HeatMap{.values = {1, 2, 3}}}}}}), "panel 'map': 3 values");
  EXPECT_HAS(error({.rows = {{{"map", HeatMap{}}}}}), "panel 'map': 0 values");
  EXPECT_HAS(error({.rows = {{{"map", HeatMap{.values = {1}, .range = std::pair{1.0, 1.0}}}}}}),
             "a range from 1 to 1");
  EXPECT_HAS(error({.rows = {{{"map", HeatMap{.values = {1}, .range = std::pair{NAN, 1.0}}}}}}),
             "a range from nan");
  EXPECT_HAS(error({.rows = {{{"dots", Scatter{.points = {1, 2, 3}}}}}}), "panel 'dots': 3 coordinates");
  EXPECT_HAS(error({.rows = {{{"", Scatter{}}}}, .lo = 4, .hi = -4}), "axes from 4 to -4");
  EXPECT_HAS(error({.rows = {{{"", Scatter{}}}}, .tick_step = 1e-9}), "ticks every");
  EXPECT_HAS(error({.rows = {{{"", Scatter{}}}}, .scale = NAN}), "scale nan");
  EXPECT_HAS(error({.rows = {{{"", Scatter{}}}}, .panel_size = 1}), "panels of 1 pixels");
  EXPECT_HAS(error({.rows = {std::vector<Panel>(40, Panel{"", Scatter{}})}, .panel_size = 2000}), "1..32767");
}

}  // namespace
}  // namespace ebm
