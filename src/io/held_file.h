// SPDX-License-Identifier: MIT
#pragma once
// A file while it is read: what the system refuses, what another program writes and what is damaged are three
// things with three remedies, and this tells the first two.

#include <filesystem>
#include <string>

#include "core/error.h"

namespace ebm {

/// A file that is open for reading, under a shared lock (flock) where its file system has locks. While it
/// lives, programs that lock what they write leave the file alone; HDF5 is one.
class HeldFile {
 public:
  /// What to do about locks. `shared`: take one, or go on without on a file system that has none. `none`:
  /// take none, and read what another program holds too.
  enum class Locking { shared, none };

  /// Throws Error when the file is missing, no regular file, may not be read, or is locked for writing by
  /// another program ("in use by another program").
  HeldFile(const std::filesystem::path& path, Locking locking);
  HeldFile(const HeldFile&) = delete;
  HeldFile& operator=(const HeldFile&) = delete;
  ~HeldFile();

  /// Reads all of its bytes: 0 when that works, else the system's error (of errno).
  [[nodiscard]] int read_through() const;

  /// What the file says of its writer, in the flags that HDF5 keeps in a superblock of version 3: `marked`
  /// is left by a program that opened it for writing and has not closed it, `live` by one that lets others
  /// read meanwhile. `closed` of everything else.
  enum class Writer { closed, marked, live };
  [[nodiscard]] Writer writer() const;

 private:
  int fd_;
};

}  // namespace ebm
