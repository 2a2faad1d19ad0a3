// SPDX-License-Identifier: MIT
// The CUDA half's library shows one symbol, whichever of the two this build has.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "support/devices.h"
#include "support/files.h"
#include "support/process.h"

namespace ebm::test {
namespace {

TEST(ExportsTest, TheCudaHalfHasOneSymbol) {
  if (run_command({"/bin/sh", "-c", "command -v nm"}).status != 0) GTEST_SKIP() << "there is no nm";
  int libraries = 0;
  for (const std::filesystem::path& library :
       {std::filesystem::path(emulated_library()), program_folder() / "../lib/libebm_cuda.so"}) {
    if (!std::filesystem::exists(library)) continue;
    ++libraries;
    const Finished nm = run_command(
        {"/usr/bin/env", "nm", "--dynamic", "--defined-only", "--format=posix", library.string()});
    ASSERT_EQ(nm.status, 0) << nm.err;
    EXPECT_TRUE(nm.out.starts_with("ebm_open_cuda T ")) << nm.out;
    EXPECT_EQ(std::count(nm.out.begin(), nm.out.end(), '\n'), 1) << nm.out;
  }
  if (libraries == 0) GTEST_SKIP() << "neither library is built";
}

}  // namespace
}  // namespace ebm::test
