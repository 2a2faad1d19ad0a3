// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace ebm {

/// A folder that one process at a time writes in: an advisory lock on the folder itself, while this lives.
class ClaimedFolder {
 public:
  /// Throws Error with the message `taken` when another process has it. On a file system without locks it
  /// says so on stderr, and `warning` (what the user is to take care of); a folder that cannot be opened is
  /// nobody's, which those find who write in it.
  ClaimedFolder(const std::filesystem::path& folder, const std::string& taken, const std::string& warning);
  ~ClaimedFolder();
  ClaimedFolder(const ClaimedFolder&) = delete;
  ClaimedFolder& operator=(const ClaimedFolder&) = delete;

 private:
  int descriptor_;
};

}  // namespace ebm
