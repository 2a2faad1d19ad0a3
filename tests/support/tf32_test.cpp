// SPDX-License-Identifier: MIT
// The tests with TF32 on a GPU, in a process that began with it allowed (support/devices.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "support/devices.h"
#include "support/environment.h"
#include "support/files.h"
#include "support/process.h"

namespace ebm::test {
namespace {

TEST(Tf32OnAGpu, HoldsInAProcessOfItsOwn) {
  const std::vector<std::string> here = devices();
  if (std::find(here.begin(), here.end(), "cuda") == here.end()) GTEST_SKIP() << why_missing("cuda");
  const Environment allowed("NVIDIA_TF32_OVERRIDE", "1"), alone("EBM_TEST_DEVICES", "cuda");
  const Finished run =
      run_command({(program_folder() / "tests").string(), "--gtest_brief=1", "--gtest_filter=Tf32*/*"});
  if (run.out.find("[  PASSED  ] 0 tests") != std::string::npos)
    GTEST_SKIP() << "this GPU computes no product in TF32";
  EXPECT_EQ(run.status, 0) << run.out << run.err;
}

}  // namespace
}  // namespace ebm::test
