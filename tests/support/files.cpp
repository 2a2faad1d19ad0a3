// SPDX-License-Identifier: MIT
#include "support/files.h"

#include "core/error.h"

namespace ebm::test {

std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::filesystem::path golden(const std::string& name) {
  // build/bin, build/sanitize/bin and a distribution's bin lie at different depths.
  for (auto folder = program_folder(); folder != folder.root_path(); folder = folder.parent_path()) {
    auto file = folder / "tests/golden" / name;
    if (std::filesystem::exists(file)) return file;
  }
  throw Error("there is no tests/golden/" + name + " above " + program_folder().string());
}

}  // namespace ebm::test
