// SPDX-License-Identifier: MIT
#include "support/files.h"

namespace ebm::test {

std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::filesystem::path golden_folder() {
  for (auto above = program_folder(); above != above.root_path(); above = above.parent_path()) {
    if (std::filesystem::exists(above / "tests/golden")) return above / "tests/golden";
  }
  return {};
}

}  // namespace ebm::test
