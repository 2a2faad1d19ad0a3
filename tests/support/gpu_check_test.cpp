// SPDX-License-Identifier: MIT
// scripts/gpu_check where there is no GPU: what needs none runs, the rest says so, and a failure shows.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/files.h"
#include "support/process.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

class GpuCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(script())) GTEST_SKIP() << "scripts/gpu_check is not here";
    if (run_command({"/bin/sh", "-c", "command -v python3"}).status != 0)
      GTEST_SKIP() << "there is no python3";
    if (program_path("roofline").empty()) GTEST_SKIP() << "the programs are not built";
  }
  static fs::path script() { return golden_folder() / "../../scripts/gpu_check"; }
  Finished run(std::vector<std::string> words) {
    words.insert(words.begin(), {script().string(), "--emulated", "--report", report_.string()});
    return run_command(words);
  }
  std::string report() const {
    std::ifstream in(report_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path report_ = fs::path(testing::TempDir()) / "gpu_check.md";
};

TEST_F(GpuCheckTest, RunsWhatNeedsNoGpu) {
  const Finished finished = run({"roofline", "pytorch"});
  EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
  const std::string text = report();
  for (const char* line : {"1 passed, 0 failed, 3 not run", "| roofline | passed |", "branches side by side",
                           "| PyTorch: toy | not run: it needs a GPU |"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " is not in\n" << text;
  }
}

TEST_F(GpuCheckTest, RefusesAnUnknownPart) {
  const Finished finished = run({"everything"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_NE(finished.err.find("unknown part: everything"), std::string::npos) << finished.err;
}

}  // namespace
}  // namespace ebm::test
