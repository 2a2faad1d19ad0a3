// SPDX-License-Identifier: MIT
#include "plot/canvas.h"

#include <cairo/cairo-pdf.h>
#include <cairo/cairo-svg.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>

#include "core/error.h"
#include "io/utf8.h"
#include "plot/font_impl.h"

namespace ebm {
namespace {

struct Destroy {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
using Surface = std::unique_ptr<cairo_surface_t, Destroy>;

cairo_status_t append(void* bytes, const unsigned char* data, unsigned length) {
  auto* all = static_cast<std::vector<uint8_t>*>(bytes);
  all->insert(all->end(), data, data + length);
  return CAIRO_STATUS_SUCCESS;
}

Surface make_surface(PictureFormat format, int64_t width, int64_t height, double points,
                     std::vector<uint8_t>* bytes) {
  const auto w = static_cast<double>(width), h = static_cast<double>(height);
  switch (format) {
    case PictureFormat::svg:
      return Surface(cairo_svg_surface_create_for_stream(append, bytes, points * w, points * h));
    case PictureFormat::pdf: {
      Surface surface(cairo_pdf_surface_create_for_stream(append, bytes, points * w, points * h));
      cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_CREATE_DATE, "");  // none
      return surface;
    }
    case PictureFormat::png:
      break;
  }
  return Surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(width), static_cast<int>(height)));
}

// Cairo's pixels are 32-bit words 0x00RRGGBB.
Surface surface_of(const Image& image) {
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(image.width),
                                             static_cast<int>(image.height)));
  if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS) return surface;
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int64_t stride = cairo_image_surface_get_stride(surface.get());
  for (int64_t y = 0; y < image.height; ++y) {
    auto* row = reinterpret_cast<uint32_t*>(data + y * stride);
    for (int64_t x = 0; x < image.width; ++x) {
      const Rgb c = image.at(x, y);
      row[x] = uint32_t{c.red} << 16 | uint32_t{c.green} << 8 | c.blue;
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

// Cairo names parts of an SVG by numbers that count all surfaces of the process; here they count those of the
// file, in the order in which they come. No text and no embedded picture has a quote before such a name.
std::vector<uint8_t> with_numbers_of_its_own(const std::vector<uint8_t>& svg) {
  std::map<std::string, size_t> numbers;
  const std::string text(svg.begin(), svg.end());
  std::string result;
  size_t copied = 0;
  for (size_t at = 0; (at = text.find_first_of("\"#", at)) != std::string::npos; ++at) {
    for (const std::string name : {"surface", "image", "mask", "source"}) {
      const size_t digits = at + 1 + name.size(), end = text.find_first_not_of("0123456789", digits);
      if (text.compare(at + 1, name.size(), name) != 0 || end == digits || end == std::string::npos) continue;
      const size_t next = numbers.size() + 1;
      const auto number = numbers.emplace(text.substr(at + 1, end - at - 1), next).first;
      result += text.substr(copied, digits - copied) + std::to_string(number->second);
      copied = end;
    }
  }
  result += text.substr(copied);
  return {result.begin(), result.end()};
}

}  // namespace

const char* ending_of(PictureFormat format) {
  return format == PictureFormat::svg ? ".svg" : format == PictureFormat::pdf ? ".pdf" : ".png";
}

PictureFormat picture_format(const std::filesystem::path& path) {
  for (const PictureFormat format : {PictureFormat::png, PictureFormat::svg, PictureFormat::pdf}) {
    if (path.extension() == ending_of(format)) return format;
  }
  throw UsageError(
      fmt::format("'{}' is no picture that can be drawn; end its name in .png, .svg or .pdf", path.string()));
}

struct Canvas::Impl {
  PictureFormat format;
  int64_t width, height;
  std::vector<uint8_t> bytes;  // of a vector file; outlives the surface, which writes into it
  Surface surface;
  std::unique_ptr<cairo_t, Destroy> context;

  void colour(Rgb c, double alpha = 1) const {
    cairo_set_source_rgba(context.get(), c.red / 255.0, c.green / 255.0, c.blue / 255.0, alpha);
  }
  void path(const std::vector<Point>& points) const {
    for (const Point& point : points) cairo_line_to(context.get(), point.x, point.y);
  }
};

Canvas::Canvas(int64_t width, int64_t height, Rgb background, PictureFormat format, double points)
    : impl_(std::make_unique<Impl>()) {
  require_picture_size(width, height);
  impl_->format = format;
  impl_->width = width;
  impl_->height = height;
  impl_->surface = make_surface(format, width, height, points, &impl_->bytes);
  impl_->context.reset(cairo_create(impl_->surface.get()));
  if (format != PictureFormat::png) cairo_scale(impl_->context.get(), points, points);
  require_drawn();
  fill(0, 0, static_cast<double>(width), static_cast<double>(height), background);
}

Canvas::~Canvas() = default;

void Canvas::require_drawn() const {
  for (const cairo_status_t status :
       {cairo_status(impl_->context.get()), cairo_surface_status(impl_->surface.get())}) {
    if (status != CAIRO_STATUS_SUCCESS)
      throw Error(fmt::format("cannot draw a picture of {} x {} pixels: {}; make it smaller", impl_->width,
                              impl_->height, cairo_status_to_string(status)));
  }
}

void Canvas::clip(double x, double y, double width, double height) {
  cairo_rectangle(impl_->context.get(), x, y, width, height);
  cairo_clip(impl_->context.get());
}

void Canvas::clip_nothing() {
  cairo_reset_clip(impl_->context.get());
}

void Canvas::fill(double x, double y, double width, double height, Rgb colour) {
  impl_->colour(colour);
  cairo_rectangle(impl_->context.get(), x, y, width, height);
  cairo_fill(impl_->context.get());
}

void Canvas::fill_polygon(const std::vector<Point>& corners, Rgb colour) {
  impl_->colour(colour);
  impl_->path(corners);
  cairo_fill(impl_->context.get());
}

void Canvas::line(const std::vector<Point>& points, double width, Rgb colour, Dash dash) {
  cairo_t* context = impl_->context.get();
  impl_->colour(colour);
  const double pattern[2] = {dash == Dash::dashed ? 5 * width : 0.01, 2.6 * width};  // dots: round caps alone
  cairo_set_dash(context, pattern, dash == Dash::solid ? 0 : 2, 0);
  cairo_set_line_width(context, width);
  cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(context, dash == Dash::dashed ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
  impl_->path(points);
  cairo_stroke(context);
  cairo_set_dash(context, nullptr, 0, 0);
}

void Canvas::disk(double x, double y, double radius, Rgb colour, double alpha) {
  // A line of no length with round ends: the shortest disk that a vector file can hold.
  cairo_t* context = impl_->context.get();
  impl_->colour(colour, alpha);
  cairo_set_line_width(context, 2 * radius);
  cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND);
  cairo_move_to(context, x, y);
  cairo_line_to(context, x, y);
  cairo_stroke(context);
}

void Canvas::picture(const Image& image, double x, double y, double width, double height) {
  cairo_t* context = impl_->context.get();
  const Surface pixels = surface_of(image);
  const double across = width / static_cast<double>(image.width),
               down = height / static_cast<double>(image.height);
  cairo_save(context);
  cairo_rectangle(context, x, y, width, height);
  cairo_clip(context);
  cairo_translate(context, x, y);
  cairo_scale(context, across, down);
  cairo_set_source_surface(context, pixels.get(), 0, 0);
  cairo_pattern_t* pattern = cairo_get_source(context);
  cairo_pattern_set_filter(pattern, across < 1 ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST);
  cairo_pattern_set_extend(pattern, CAIRO_EXTEND_PAD);  // else its rim is mixed with nothing
  cairo_paint(context);
  cairo_restore(context);
}

void Canvas::text(const Font& font, std::string_view text, double x, double y, double size, Rgb colour,
                  Align align, TextDirection direction) {
  if (!font.impl_ || text.empty()) return;
  const double width = font.width(text, size);
  const double shift = align == Align::left ? 0 : align == Align::centre ? -width / 2 : -width;
  const FontOptions options;
  cairo_t* context = impl_->context.get();
  cairo_save(context);
  impl_->colour(colour);
  cairo_set_font_face(context, font.impl_->face.get());
  cairo_set_font_options(context, options.options);
  cairo_set_font_size(context, size);
  cairo_translate(context, x, y);
  if (direction == TextDirection::upward) cairo_rotate(context, -M_PI / 2);
  cairo_move_to(context, shift, 0);
  const std::string valid = valid_utf8(text);  // Cairo refuses what is none
  if (impl_->format == PictureFormat::png) {
    // Cairo puts glyphs of pixels on whole pixels, and outlines where they belong.
    cairo_text_path(context, valid.c_str());
    cairo_fill(context);
  } else {
    cairo_show_text(context, valid.c_str());
  }
  cairo_restore(context);
}

Image Canvas::image() const {
  if (impl_->format != PictureFormat::png) throw Error("a vector file has no pixels; draw a png");
  require_drawn();
  cairo_surface_flush(impl_->surface.get());
  const unsigned char* data = cairo_image_surface_get_data(impl_->surface.get());
  const int64_t stride = cairo_image_surface_get_stride(impl_->surface.get());
  Image image = Image::filled(impl_->width, impl_->height, {});
  uint8_t* to = image.rgb.data();
  for (int64_t y = 0; y < impl_->height; ++y) {
    const auto* row = reinterpret_cast<const uint32_t*>(data + y * stride);
    for (int64_t x = 0; x < impl_->width; ++x) {
      for (const int shift : {16, 8, 0}) *to++ = static_cast<uint8_t>(row[x] >> shift);
    }
  }
  return image;
}

std::vector<uint8_t> Canvas::file() {
  if (impl_->format == PictureFormat::png) return encode_png(image());
  require_drawn();
  cairo_surface_finish(impl_->surface.get());
  if (const cairo_status_t status = cairo_surface_status(impl_->surface.get());
      status != CAIRO_STATUS_SUCCESS)
    throw Error(fmt::format("cannot draw the picture: {}; make it smaller", cairo_status_to_string(status)));
  if (impl_->format == PictureFormat::svg) return with_numbers_of_its_own(impl_->bytes);
  return impl_->bytes;
}

}  // namespace ebm
