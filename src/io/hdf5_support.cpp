// SPDX-License-Identifier: MIT
#include "io/hdf5_support.h"

#include <fmt/format.h>

#include <algorithm>

namespace ebm::hdf5 {
namespace {

herr_t keep_innermost(unsigned position, const H5E_error2_t* entry, void* text) {
  if (position == 0 && entry->desc != nullptr) *static_cast<std::string*>(text) = entry->desc;
  return 0;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

void prepare() {
  static const bool once = [] {
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  (void)once;
  H5Eclear2(H5E_DEFAULT);
}

std::string take_error_text() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &text);
  H5Eclear2(H5E_DEFAULT);
  // "file write failed: time = ..., errno = 28, error message = 'No space left on device', buf = ..."
  constexpr std::string_view marker = "error message = '";
  if (const auto start = text.find(marker); start != std::string::npos) {
    const auto from = start + marker.size();
    text = text.substr(from, text.find('\'', from) - from);
  }
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return text.empty() ? "unknown cause" : text;
}

Error failure(const std::string& what, std::string_view remedy) {
  const std::string reason = take_error_text();
  const bool full = contains(reason, "No space left") || contains(reason, "File too large") ||
                    contains(reason, "quota exceeded");
  return Error(
      fmt::format("{}: {}; {}", what, reason, full ? "free some space there, then start again" : remedy));
}

std::string shape_text(const std::vector<int64_t>& dims) {
  std::string text;
  for (const int64_t size : dims) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return dims.empty() ? "scalar" : text;
}

Handle file_access() {
  Handle list = own_list(H5Pcreate(H5P_FILE_ACCESS));
  if (!list.valid() || H5Pset_libver_bounds(list.id(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) < 0 ||
      H5Pset_fclose_degree(list.id(), H5F_CLOSE_STRONG) < 0 ||
      H5Pset_file_locking(list.id(), true, true) < 0) {
    throw failure("cannot set up HDF5 file access", "check the HDF5 library (1.10.7 or newer)");
  }
  return list;
}

Handle string_type(size_t length) {
  Handle type = own_type(H5Tcopy(H5T_C_S1));
  if (!type.valid() || H5Tset_size(type.id(), length == 0 ? H5T_VARIABLE : length) < 0 ||
      H5Tset_strpad(type.id(), length == 0 ? H5T_STR_NULLTERM : H5T_STR_NULLPAD) < 0 ||
      H5Tset_cset(type.id(), H5T_CSET_UTF8) < 0) {
    throw failure("cannot make an HDF5 string type", "check the HDF5 library");
  }
  return type;
}

}  // namespace ebm::hdf5
