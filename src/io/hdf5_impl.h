// SPDX-License-Identifier: MIT
#pragma once
// Private to hdf5_file.cpp, hdf5_open.cpp, hdf5_attributes.cpp and hdf5_rows.cpp.

#include <fmt/format.h>

#include <optional>

#include "io/hdf5_file.h"
#include "io/hdf5_support.h"

namespace ebm {

namespace hdf5 {
struct OpenDataset {
  Handle dataset;
  std::vector<int64_t> dims;
  int64_t count = 0;  // of its values
};
}  // namespace hdf5

struct Hdf5File::Impl {
  std::filesystem::path path;
  Strings strings = Strings::fixed;
  bool writing = false;
  bool failed = false;           // a write failed, so the file is incomplete whatever HDF5 says later
  std::optional<HeldFile> held;  // while reading
  hdf5::Handle file;             // closed before it

  // "dataset 'a/b' of 'file.h5'"
  [[nodiscard]] std::string object(std::string_view kind, std::string_view name) const {
    return fmt::format("{} '{}' of '{}'", kind, name, path.string());
  }
  [[noreturn]] void fail_write(const std::string& what) {
    failed = true;
    throw hdf5::failure("cannot write " + what, "check the folder and start again");
  }
  [[noreturn]] void fail_read(const std::string& what) const {
    constexpr const char* remedy = "the file is damaged: use an older copy or write it again";
    if (held) hdf5::fail_read(what, remedy, *held);
    throw hdf5::failure("cannot read " + what, remedy);
  }
  // Throws Error unless the file is open (and, for `write`, made by create).
  void require_open(bool write) const;
  // The dataset of that name, shown to hold T and not to claim more than the file can hold. Throws Error.
  template <typename T>
  hdf5::OpenDataset open_dataset(std::string_view name, bool exists) const;
};

namespace hdf5 {

// HDF5's in-memory type for T, and its name in messages.
template <typename T>
hid_t native_type();
template <typename T>
const char* type_name();

// "float32", "int64", "string", "compound" ... of any stored type.
std::string describe_type(hid_t type);

}  // namespace hdf5
}  // namespace ebm
