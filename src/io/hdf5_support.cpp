// SPDX-License-Identifier: MIT
#include "io/hdf5_support.h"

#include "io/read_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "io/hdf5_file.h"

namespace ebm::hdf5 {
namespace {

herr_t keep_innermost(unsigned position, const H5E_error2_t* entry, void* data) {
  if (position != 0) return 0;
  auto& complaint = *static_cast<Complaint*>(data);
  if (entry->desc != nullptr) complaint.text = entry->desc;
  complaint.memory = entry->maj_num == H5E_RESOURCE;
  return 0;
}

// What follows `marker` in the text, up to `end`; nothing when the marker is not there.
std::string_view part_after(std::string_view text, std::string_view marker, char end) {
  const auto start = text.find(marker);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + marker.size());
  return text.substr(0, text.find(end));
}

}  // namespace

HeldFile::Locking locking() {
  static const HeldFile::Locking asked_for = [] {
    constexpr const char* variable = "HDF5_USE_FILE_LOCKING";
    const char* value = std::getenv(variable);
    const std::string_view text = value == nullptr ? "" : value;
    // It would go before the properties of file_access.
    unsetenv(variable);
    return text == "FALSE" || text == "0" ? HeldFile::Locking::none : HeldFile::Locking::shared;
  }();
  return asked_for;
}

void prepare() {
  static const bool once = [] {
    (void)locking();
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  (void)once;
  H5Eclear2(H5E_DEFAULT);
}

Complaint take_complaint() {
  Complaint complaint;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &complaint);
  H5Eclear2(H5E_DEFAULT);
  // "file write failed: time = ..., errno = 28, error message = 'No space left on device', buf = ..."
  std::string& text = complaint.text;
  const std::string_view code = part_after(text, "errno = ", ',');
  std::from_chars(code.data(), code.data() + code.size(), complaint.system_error);
  if (const std::string words(part_after(text, "error message = '", '\'')); !words.empty()) text = words;
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  if (text.empty()) text = "unknown cause";
  return complaint;
}

Error failure(const std::string& what, std::string_view remedy) {
  const Complaint complaint = take_complaint();
  const int code = complaint.system_error;
  const bool full = code == ENOSPC || code == EFBIG || code == EDQUOT;
  return Error(fmt::format("{}: {}; {}", what, complaint.text,
                           full ? "free some space there, then start again" : remedy));
}

void fail_read(const std::string& what, std::string_view remedy, const HeldFile& file) {
  const Complaint complaint = take_complaint();
  if (complaint.system_error != 0) throw reading_failed("read " + what, complaint.system_error);
  if (complaint.memory) {
    throw Error(fmt::format("cannot read {}: {}; free some memory, then start again", what, complaint.text));
  }
  if (const int code = file.read_through(); code != 0) throw reading_failed("read " + what, code);
  throw DamagedFile(fmt::format("cannot read {}: {}; {}", what, complaint.text, remedy));
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
      H5Pset_file_locking(list.id(), false, true) < 0) {
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
