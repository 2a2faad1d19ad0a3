// SPDX-License-Identifier: MIT
// Another program, run to its end.
#pragma once

#include <string>
#include <vector>

namespace ebm {

struct ChildEnd {
  int status = 0;   ///< exit status; 128 + signal if a signal ended it
  std::string err;  ///< what it wrote to stderr
};

/// Runs words[0] with the other words as its arguments; its stdout is this program's. It gets SIGTERM when this
/// program ends first. Throws Error when it cannot be started.
ChildEnd run_child(std::vector<std::string> words);

}  // namespace ebm
