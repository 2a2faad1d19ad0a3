// SPDX-License-Identifier: MIT
// A folder like a distribution's, with copies of this project's scripts and with small shell scripts in place
// of its programs: what scripts do when a program hangs, crashes or prints nonsense.
#pragma once

#include <filesystem>
#include <string>

#include "support/process.h"

namespace ebm::test {

/// The path of a file of scripts/, in the repository or the distribution that this test program is of.
std::filesystem::path script_path(const std::string& name);

/// Whether scripts run here; else why not, for a GTEST_SKIP.
std::string why_no_scripts();

class ScriptTree {
 public:
  /// An empty one, in a folder of that name under testing::TempDir().
  explicit ScriptTree(const std::string& name);

  /// Copies a file of scripts/.
  void copy_script(const std::string& name) const;
  /// Writes bin/NAME, a shell script of these lines.
  void plant(const std::string& name, const std::string& lines) const;
  std::filesystem::path path(const std::string& relative) const { return root_ / relative; }
  /// What a file of it holds; empty if it is not there.
  std::string content(const std::string& relative) const;
  /// Waits until a file of it is there and not empty; whether that came to be.
  bool appears(const std::string& relative) const;

 private:
  std::filesystem::path root_;
};

/// Whether the process whose number a file holds runs (a zombie does not).
bool process_runs(const std::string& number);

}  // namespace ebm::test
