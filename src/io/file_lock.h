// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace ebm {

/// A lock on FOLDER/NAME, which several programs take in turn, while this lives. On a file system without locks, and
/// where the file cannot be made, nobody waits. Programs that are started under it inherit it, so that one which
/// outlives its parent is waited for too.
class FileLock {
 public:
  /// Says `waiting` on stdout, if it is not empty, when another program has it.
  FileLock(const std::filesystem::path& folder, const std::string& name, const std::string& waiting = "");
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace ebm
