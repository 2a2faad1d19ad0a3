// SPDX-License-Identifier: MIT
#pragma once
// For the .cpp files of src/io that call the HDF5 C API: handles that close themselves, and HDF5's error
// stack as one line of text. No other folder includes this.

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/held_file.h"

namespace ebm::hdf5 {

// To be called before any other HDF5 call: silences HDF5's own printing, and keeps it from flushing at exit()
// files that could not be closed because the disk was full (it may print, or loop). Takes locks out of HDF5's
// hands (file_access).
void prepare();

// What the environment asks for: none where HDF5_USE_FILE_LOCKING is FALSE or 0.
HeldFile::Locking locking();

// The innermost entry of HDF5's error stack.
struct Complaint {
  std::string text;      // one line, the system's own words where a system call failed
  int system_error = 0;  // of errno, where one failed
  bool memory = false;   // there was not enough
};
// "unknown cause" when the stack is empty. Clears the stack.
Complaint take_complaint();

// The Error "WHAT: HDF5's reason; REMEDY", where the remedy for a full disk replaces the given one. Clears
// the stack.
Error failure(const std::string& what, std::string_view remedy);

// For a call that failed to read from `file`, with `what` as "dataset 'a' of 'b.h5'". Throws DamagedFile with
// the remedy when every byte of the file can be read, so that it is the content that HDF5 does not take; else
// an Error that says what the system, or the memory, refused. Clears the stack.
[[noreturn]] void fail_read(const std::string& what, std::string_view remedy, const HeldFile& file);

// "128 x 2", "scalar".
std::string shape_text(const std::vector<int64_t>& dims);

// Owns an HDF5 identifier of any kind.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      close();
      id_ = std::exchange(other.id_, -1);
      closer_ = other.closer_;
    }
    return *this;
  }
  ~Handle() { close(); }

  [[nodiscard]] bool valid() const { return id_ >= 0; }
  [[nodiscard]] hid_t id() const { return id_; }
  // False when HDF5 could not close it (data that could not be written); the handle is empty in either case.
  bool close() noexcept {
    const hid_t id = std::exchange(id_, -1);
    return id < 0 || closer_(id) >= 0;
  }
  // Leaves it open for good.
  void abandon() noexcept { id_ = -1; }

 private:
  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

inline Handle own_file(hid_t id) {
  return {id, H5Fclose};
}
inline Handle own_object(hid_t id) {
  return {id, H5Oclose};
}
inline Handle own_dataset(hid_t id) {
  return {id, H5Dclose};
}
inline Handle own_space(hid_t id) {
  return {id, H5Sclose};
}
inline Handle own_type(hid_t id) {
  return {id, H5Tclose};
}
inline Handle own_list(hid_t id) {
  return {id, H5Pclose};
}
inline Handle own_attribute(hid_t id) {
  return {id, H5Aclose};
}

// File access properties of every file here: newest format (its metadata carry checksums), closing a file
// closes all that is open in it, and HDF5 takes no locks: it would call a file unreadable where the file
// system has none. What is read is locked by HeldFile, what is written lies aside until it is complete, or is
// of a folder that is locked.
Handle file_access();

// A string type: of fixed length (`length` bytes, at least 1, padded with zeros), or variable when length is
// 0. UTF-8.
Handle string_type(size_t length);

}  // namespace ebm::hdf5
