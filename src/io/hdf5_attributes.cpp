// SPDX-License-Identifier: MIT
// The attributes of an Hdf5File (io/hdf5_file.h).

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/error.h"
#include "io/hdf5_impl.h"

namespace ebm {
namespace {

using hdf5::Handle;

constexpr size_t longest_fixed_string = 60000;      // what fits an object header, and so under its checksum
constexpr size_t longest_string = size_t{1} << 24;  // nothing sane is longer

std::string attribute_text(const std::filesystem::path& path, std::string_view object,
                           std::string_view name) {
  return fmt::format("attribute '{}' of '{}' in '{}'", name, object, path.string());
}

// An open attribute with its type, shown to be a scalar (or an array of one value).
struct OpenAttribute {
  Handle attribute, type;
};

OpenAttribute open_scalar(hid_t file, std::string_view object, std::string_view name) {
  OpenAttribute open;
  open.attribute = hdf5::own_attribute(H5Aopen_by_name(file, std::string(object).c_str(),
                                                       std::string(name).c_str(), H5P_DEFAULT, H5P_DEFAULT));
  if (!open.attribute.valid()) return {};
  open.type = hdf5::own_type(H5Aget_type(open.attribute.id()));
  const Handle space = hdf5::own_space(H5Aget_space(open.attribute.id()));
  if (!space.valid() || H5Sget_simple_extent_npoints(space.id()) != 1) return {};
  return open;
}

// Reads a string attribute of either kind; false when HDF5 cannot.
bool read_string(const OpenAttribute& open, std::string& value) {
  if (H5Tis_variable_str(open.type.id()) > 0) {
    const Handle memory_type = hdf5::own_type(H5Tcopy(open.type.id()));
    char* text = nullptr;
    if (!memory_type.valid() ||
        H5Aread(open.attribute.id(), memory_type.id(), static_cast<void*>(&text)) < 0) {
      return false;
    }
    if (text != nullptr) value.assign(text, strnlen(text, longest_string));
    return text == nullptr || H5free_memory(text) >= 0;
  }
  const size_t size = H5Tget_size(open.type.id());
  if (size == 0 || size > longest_string) return false;
  value.assign(size, '\0');
  if (H5Aread(open.attribute.id(), open.type.id(), value.data()) < 0) return false;
  value.resize(strnlen(value.data(), size));
  return true;
}

}  // namespace

void Hdf5File::write_scalar(std::string_view object, std::string_view name, int64_t type, int64_t file_type,
                            const void* value) {
  impl_->require_open(true);
  const Handle space = hdf5::own_space(H5Screate(H5S_SCALAR));
  Handle attribute;
  if (space.valid()) {
    attribute = hdf5::own_attribute(H5Acreate_by_name(impl_->file.id(), std::string(object).c_str(),
                                                      std::string(name).c_str(), file_type, space.id(),
                                                      H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  if (!attribute.valid() || H5Awrite(attribute.id(), type, value) < 0 || !attribute.close()) {
    impl_->fail_write(attribute_text(impl_->path, object, name));
  }
}

void Hdf5File::write_attribute(std::string_view object, std::string_view name, double value) {
  hdf5::prepare();
  write_scalar(object, name, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, &value);
}

void Hdf5File::write_attribute(std::string_view object, std::string_view name, int64_t value) {
  hdf5::prepare();
  write_scalar(object, name, H5T_NATIVE_INT64, H5T_NATIVE_INT64, &value);
}

void Hdf5File::write_attribute(std::string_view object, std::string_view name, std::string_view value) {
  const bool fixed = impl_->strings == Strings::fixed;
  if (value.find('\0') != std::string_view::npos ||
      value.size() > (fixed ? longest_fixed_string : longest_string)) {
    throw Error(fmt::format("cannot write {}: {} bytes; give at most {} bytes without NUL",
                            attribute_text(impl_->path, object, name), value.size(),
                            fixed ? longest_fixed_string : longest_string));
  }
  std::string text(value);
  const Handle type = hdf5::string_type(fixed ? std::max<size_t>(text.size(), 1) : 0);
  const char* pointer = text.c_str();
  write_scalar(object, name, type.id(), type.id(), fixed ? static_cast<const void*>(pointer) : &pointer);
}

template <typename T>
T Hdf5File::read_attribute(std::string_view object, std::string_view name) const {
  impl_->require_open(false);
  const std::string what = attribute_text(impl_->path, object, name);
  if (!has_attribute(object, name))
    throw Error(fmt::format("there is no {}; check the name or the file", what));
  const OpenAttribute open = open_scalar(impl_->file.id(), object, name);
  if (!open.type.valid()) impl_->fail_read(what);
  const char* expected = "string";
  if constexpr (!std::is_same_v<T, std::string>) expected = hdf5::type_name<T>();
  if (const std::string stored = hdf5::describe_type(open.type.id()); stored != expected) {
    throw Error(fmt::format("{} holds {}, not {}; write the file again", what, stored, expected));
  }
  T value{};
  if constexpr (std::is_same_v<T, std::string>) {
    if (impl_->strings == Strings::fixed && H5Tis_variable_str(open.type.id()) != 0) {
      throw Error(what +
                  " is a string of variable length, which has no checksum; write it with a fixed length");
    }
    if (!read_string(open, value)) impl_->fail_read(what);
  } else {
    if (H5Aread(open.attribute.id(), hdf5::native_type<T>(), &value) < 0) impl_->fail_read(what);
  }
  return value;
}

template std::string Hdf5File::read_attribute(std::string_view, std::string_view) const;
template double Hdf5File::read_attribute(std::string_view, std::string_view) const;
template int64_t Hdf5File::read_attribute(std::string_view, std::string_view) const;

bool Hdf5File::has_attribute(std::string_view object, std::string_view name) const {
  impl_->require_open(false);
  if (!has(object)) return false;
  const htri_t there = H5Aexists_by_name(impl_->file.id(), std::string(object).c_str(),
                                         std::string(name).c_str(), H5P_DEFAULT);
  if (there < 0) impl_->fail_read(attribute_text(impl_->path, object, name));
  return there > 0;
}

std::vector<std::string> Hdf5File::list_attributes(std::string_view object) const {
  impl_->require_open(false);
  const std::string what = impl_->object("object", object);
  if (!has(object)) throw Error(fmt::format("there is no {}; check the name or the file", what));
  std::vector<std::string> names;
  const auto keep = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
    try {
      static_cast<std::vector<std::string>*>(list)->emplace_back(name);
      return 0;
    } catch (...) {
      return -1;
    }
  };
  hsize_t position = 0;
  if (H5Aiterate_by_name(impl_->file.id(), std::string(object).c_str(), H5_INDEX_NAME, H5_ITER_INC, &position,
                         keep, &names, H5P_DEFAULT) < 0) {
    impl_->fail_read(what);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ebm
