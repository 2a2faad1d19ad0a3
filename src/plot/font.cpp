// SPDX-License-Identifier: MIT
// Font (plot/canvas.h).
#include <cairo/cairo-ft.h>
#include <fmt/format.h>

#include <cstdio>

#include "core/error.h"
#include "io/utf8.h"
#include "plot/font_impl.h"

namespace ebm {
namespace {

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

// A face of FreeType with the library that it lives in, which must last as long as Cairo's face does.
struct FreeTypeFace {
  FT_Library library = nullptr;
  FT_Face face = nullptr;
  ~FreeTypeFace() {
    if (face != nullptr) FT_Done_Face(face);
    if (library != nullptr) FT_Done_FreeType(library);
  }
};

}  // namespace

Font::Font() = default;
Font::Font(Font&&) noexcept = default;
Font& Font::operator=(Font&&) noexcept = default;
Font::~Font() = default;

Font::Font(const std::filesystem::path& file) : impl_(std::make_unique<Impl>()) {
  auto face = std::make_unique<FreeTypeFace>();
  if (FT_Init_FreeType(&face->library) != 0 ||
      FT_New_Face(face->library, file.c_str(), 0, &face->face) != 0) {
    throw Error(fmt::format("cannot read the font '{}'; name a TrueType file", file.string()));
  }
  impl_->face.reset(cairo_ft_font_face_create_for_ft_face(face->face, 0));
  // Cairo keeps faces in a cache of its own, so it is Cairo that knows when this one is not needed any more.
  static const cairo_user_data_key_t key{};
  const auto destroy = [](void* data) { delete static_cast<FreeTypeFace*>(data); };
  if (cairo_font_face_set_user_data(impl_->face.get(), &key, face.get(), destroy) == CAIRO_STATUS_SUCCESS)
    (void)face.release();
  if (cairo_font_face_status(impl_->face.get()) != CAIRO_STATUS_SUCCESS)
    throw Error(fmt::format("Cairo cannot use the font '{}'; name another TrueType file", file.string()));
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
  if (!impl_ || text.empty()) return 0;
  const FontOptions options;
  cairo_matrix_t em, identity;
  cairo_matrix_init_scale(&em, size, size);
  cairo_matrix_init_identity(&identity);
  cairo_scaled_font_t* scaled = cairo_scaled_font_create(impl_->face.get(), &em, &identity, options.options);
  cairo_text_extents_t extents{};
  cairo_scaled_font_text_extents(scaled, valid_utf8(text).c_str(), &extents);
  cairo_scaled_font_destroy(scaled);
  return extents.x_advance;
}

}  // namespace ebm
