// SPDX-License-Identifier: MIT
// bench/convolution_plans over the emulated GPU: a table of every convolution of an iteration.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "support/process.h"

namespace ebm::test {
namespace {

std::ptrdiff_t count(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  return std::distance(std::sregex_iterator(text.begin(), text.end(), wanted), {});
}

TEST(ConvolutionPlansTest, TriesEachPlanOfEachConvolution) {
  const std::string program = program_path("convolution_plans_emulated");
  if (program.empty()) GTEST_SKIP() << "this build has no emulated cuDNN";
  const Finished done = run_command({program, "--batch", "2", "--width", "4", "--products", "16"});
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_NE(done.out.find("emulated on the CPU"), std::string::npos);
  EXPECT_NE(done.out.find("products of 16 x 16 by cuBLAS: pedantic "), std::string::npos) << done.out;
  const auto convolutions =
      count(done.out, " images of 32x32x|images of 16x16x|images of 8x8x|images of 4x4x");
  EXPECT_GE(convolutions, 20) << done.out;
  EXPECT_GE(count(done.out, "engine \\d+, knobs"), convolutions);
  EXPECT_GE(count(done.out, "in true float32, "), 6);
  EXPECT_EQ(count(done.out, "LEFT OUT"), 0) << done.out;
  // TF32's error is seen where tensor cores were, float32's elsewhere.
  EXPECT_GT(count(done.out, "e-08\\n|e-07\\n"), 0);
  const Finished split = run_command(
      {program, "--batch", "1", "--width", "4", "--products", "16", "--plans", "1", "--jacobian", "3xtf32"});
  EXPECT_GE(count(split.out, "in 3xTF32, "), 6) << split.out << split.err;
  EXPECT_GE(count(split.out, "tiles \\d+x\\d+x\\d+, warps \\d+x\\d+, \\d stages, split \\d+ "), 6)
      << split.out;
  EXPECT_EQ(count(split.out, "LEFT OUT"), 0) << split.out;
  const Finished refused = run_command({program, "--experiment", "toy_bb"});
  EXPECT_EQ(refused.status, 2);
}

}  // namespace
}  // namespace ebm::test
