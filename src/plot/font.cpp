// SPDX-License-Identifier: MIT
// Font and Canvas::text (plot/canvas.h).

#include <fmt/format.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_ADVANCES_H

#include <cmath>
#include <cstdio>
#include <vector>

#include "core/error.h"
#include "plot/canvas.h"

namespace ebm {
namespace {

// The code points of UTF-8 text; a malformed byte becomes U+FFFD.
std::vector<uint32_t> decode(std::string_view text) {
  std::vector<uint32_t> codes;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : -1;
    uint32_t code = more <= 0 ? lead : lead & (0x3Fu >> more);
    int taken = 0;
    while (taken < more && i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) {
      code = code << 6 | (static_cast<unsigned char>(text[i++]) & 0x3Fu);
      ++taken;
    }
    codes.push_back(taken == more ? code : 0xFFFD);
  }
  return codes;
}

std::filesystem::path find_font_file() {
  constexpr const char* name = "DejaVuSans.ttf";
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& folder : {program / "../share/fonts", program / "share/fonts",
                             std::filesystem::path("/usr/share/fonts/truetype/dejavu")}) {
    if (std::filesystem::exists(folder / name, ignored)) return folder / name;
  }
  return {};
}

}  // namespace

struct Font::Impl {
  FT_Library library = nullptr;
  FT_Face face = nullptr;
  ~Impl() {
    if (face != nullptr) FT_Done_Face(face);
    if (library != nullptr) FT_Done_FreeType(library);
  }
  void set_size(double size) const { FT_Set_Char_Size(face, 0, std::lround(64 * size), 72, 72); }

  // Calls draw(glyph index, pen position in 1/64 pixel along the line); returns the line's width in 1/64
  // pixel.
  template <typename Draw>
  FT_Pos lay_out(std::string_view text, Draw&& draw) const {
    FT_Pos pen = 0;
    FT_UInt before = 0;
    for (const uint32_t code : decode(text)) {
      const FT_UInt glyph = FT_Get_Char_Index(face, code);
      FT_Vector kerning{};
      if (before != 0 && FT_Get_Kerning(face, before, glyph, FT_KERNING_UNFITTED, &kerning) == 0)
        pen += kerning.x;
      FT_Fixed advance = 0;
      draw(glyph, pen);
      if (FT_Get_Advance(face, glyph, FT_LOAD_NO_HINTING, &advance) == 0) pen += advance >> 10;  // from 16.16
      before = glyph;
    }
    return pen;
  }
};

Font::Font() = default;
Font::Font(Font&&) noexcept = default;
Font& Font::operator=(Font&&) noexcept = default;
Font::~Font() = default;

Font::Font(const std::filesystem::path& file) : impl_(std::make_unique<Impl>()) {
  if (FT_Init_FreeType(&impl_->library) != 0 ||
      FT_New_Face(impl_->library, file.c_str(), 0, &impl_->face) != 0) {
    throw Error(fmt::format("cannot read the font '{}'; name a TrueType file", file.string()));
  }
}

const Font& Font::standard() {
  static const Font font = [] {
    try {
      const auto file = find_font_file();
      if (!file.empty()) return Font(file);
    } catch (const Error&) {
    }
    std::fputs(
        "warning: no usable DejaVuSans.ttf found, so pictures have no text; install fonts-dejavu-core\n",
        stderr);
    return Font();
  }();
  return font;
}

double Font::width(std::string_view text, double size) const {
  if (!impl_) return 0;
  impl_->set_size(size);
  return static_cast<double>(impl_->lay_out(text, [](FT_UInt, FT_Pos) {})) / 64;
}

void Canvas::text(const Font& font, std::string_view text, double x, double y, double size, Rgb colour,
                  Align align, TextDirection direction) {
  if (!font.impl_) return;
  const double width = font.width(text, size);
  const double shift = align == Align::left ? 0 : align == Align::centre ? -width / 2 : -width;
  const bool up = direction == TextDirection::upward;
  FT_Face face = font.impl_->face;
  FT_Matrix turn{
      .xx = up ? 0 : 0x10000, .xy = up ? -0x10000 : 0, .yx = up ? 0x10000 : 0, .yy = up ? 0 : 0x10000};
  font.impl_->lay_out(text, [&](FT_UInt glyph, FT_Pos pen) {
    const double along = shift + static_cast<double>(pen) / 64;
    const double at_x = x + (up ? 0 : along), at_y = y - (up ? along : 0);
    const double pixel_x = std::floor(at_x), pixel_y = std::ceil(at_y);
    FT_Vector fraction{std::lround(64 * (at_x - pixel_x)), std::lround(64 * (pixel_y - at_y))};
    FT_Set_Transform(face, &turn, &fraction);
    if (FT_Load_Glyph(face, glyph, FT_LOAD_RENDER | FT_LOAD_NO_HINTING) != 0) return;
    const FT_Bitmap& bitmap = face->glyph->bitmap;
    for (unsigned row = 0; row < bitmap.rows; ++row) {
      for (unsigned column = 0; column < bitmap.width; ++column) {
        const uint8_t cover = bitmap.buffer[static_cast<std::ptrdiff_t>(row) * bitmap.pitch + column];
        blend(static_cast<int64_t>(pixel_x) + face->glyph->bitmap_left + column,
              static_cast<int64_t>(pixel_y) - face->glyph->bitmap_top + row, colour, cover / 255.0);
      }
    }
  });
  FT_Set_Transform(face, nullptr, nullptr);
}

}  // namespace ebm
