// SPDX-License-Identifier: MIT
// tests/golden/replay.py holds dumps of every method on narrow convolutional networks against PyTorch's autograd
// in float64: they pass, and none would with an error of 1 % in the gradients of one of its networks.
#include <gtest/gtest.h>

#include <cstdlib>

#include "../io/io_fixture.h"
#include "methods/registry.h"
#include "support/files.h"
#include "train/small_commands.h"

namespace ebm::test {
namespace {

/// $EBM_PYTHON, where PyTorch and h5py are, or else python3.
std::string python() {
  const char* chosen = std::getenv("EBM_PYTHON");
  return chosen != nullptr ? chosen : "python3";
}

class ReplayTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("cifar10_bb").empty()) GTEST_SKIP() << "the programs are not built";
    if (!std::filesystem::exists(golden_folder() / "replay.py")) GTEST_SKIP() << "no replay.py here";
    const Words words{"/usr/bin/env", python(), "-c",
                      "import h5py, importlib.util as i; assert i.find_spec('torch')"};
    if (run_command(words).status != 0) GTEST_SKIP() << "no PyTorch with h5py ($EBM_PYTHON)";
  }

  std::string path(const std::string& name) const { return (*this / name).string(); }

  /// A dump of the second iteration, when Adam's moments are not 0.
  std::string dump(const std::string& method, const Words& more = {}, const char* program = "cifar10_bb") {
    const std::string out = path(method + std::to_string(dumps_++));
    const Words words =
        small_images_command(program, method, out, {"--iterations", "2", "--dump-iteration", "2"});
    const Finished finished = run_command(joined(words, more));
    EXPECT_EQ(finished.status, 0) << finished.err;
    return out + "/iteration-2.h5";
  }

  static Finished replay(const Words& words) {
    return run_command(joined(
        {"/usr/bin/env", python(), (golden_folder() / "replay.py").string(), "--plant", "0.01"}, words));
  }

 private:
  int dumps_ = 0;
};

TEST_F(ReplayTest, EveryMethodOnImagesAndAnErrorOfOnePercentIsSeen) {
  Words dumps;
  for (const MethodRow& row : methods()) dumps.push_back(dump(row.name));
  dumps.push_back(dump("meg", {"--preset", "code", "--energy-steps", "2"}));
  dumps.push_back(dump("dcgan", {"--networks", "own"}));
  dumps.push_back(dump("sngan", {"--networks", "own", "--energy-steps", "2", "--generator-batch", "6"}));
  dumps.push_back(dump("vera", {"--networks", "own", "--importance-samples", "3"}));
  dumps.push_back(dump("meg", {"--networks", "own", "--width", "16"}, "mnist_bb"));
  const std::string wrong = path("wrong.h5");
  std::filesystem::copy_file(dumps.front(), wrong);
  const std::string change =
      "import h5py, sys\n"
      "with h5py.File(sys.argv[1], 'r+') as f:\n"
      "  f['gradients/generator/main.0.weight'][...] *= 1.01\n";
  ASSERT_EQ(run_command({"/usr/bin/env", python(), "-c", change, wrong}).status, 0);

  const Finished finished = replay(joined(dumps, {wrong}));
  EXPECT_EQ(finished.status, 1) << finished.err;
  for (const std::string& name : dumps)
    EXPECT_NE(finished.out.find("ok   " + name), std::string::npos) << name << "\n" << finished.out;
  const size_t failed = finished.out.find("FAIL " + wrong);
  ASSERT_NE(failed, std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("gradients 1.0e+02 generator/main.0.weight", failed), std::string::npos)
      << finished.out;
}

}  // namespace
}  // namespace ebm::test
