// SPDX-License-Identifier: MIT
// scripts/reproduce, with programs planted in place of this project's.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/process.h"
#include "support/script_tree.h"

namespace ebm::test {
namespace {

class ReproduceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_scripts(); !reason.empty()) GTEST_SKIP() << reason;
    tree_.copy_script("reproduce");
    // A run makes checkpoints; WGAN-0GP's fails. Each program says what it was asked for.
    tree_.plant("mnist_bb",
                "echo trained \"$@\"\n"
                "case \"$*\" in *wgan_0gp*) echo 'mnist_bb: no' >&2; exit 1;; esac\n"
                "while [ \"$1\" != --out ]; do shift; done\nmkdir -p \"$2/checkpoints\"\n");
    tree_.plant(
        "evaluate",
        "echo evaluated \"$@\"\nwhile [ \"$1\" != --metrics ]; do touch \"$1/evaluation.h5\"; shift; done\n");
    tree_.plant("tables", "echo table \"$@\"\n");
    std::filesystem::create_directories(tree_.path("data"));
    std::ofstream(tree_.path("data/digit_classifier.h5")) << "there\n";
  }
  Finished reproduce(const std::string& options) const {
    return run_command(
        {"/bin/sh", "-c", "cd " + tree_.path("").string() + " && scripts/reproduce " + options});
  }
  static int64_t count(const std::string& text, const std::string& part) {
    int64_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }
  ScriptTree tree_{"ebm-bb-reproduced"};
};

TEST_F(ReproduceTest, TrainsMeasuresAndPrintsATable) {
  const Finished run = reproduce("1 --scale 0.001 --seeds 4 5 --methods dcgan ebm_bb -- --width 16");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_NE(run.out.find("trained --stacked --method dcgan --preset paper --seed 4 --iterations 120 --out "
                         "runs/table1/stacked_mnist_dcgan_4 --width 16\n"),
            std::string::npos)
      << run.out;
  EXPECT_NE(run.out.find("--method ebm_bb --preset code --seed 5"), std::string::npos) << run.out;
  EXPECT_EQ(count(run.out, "\ntrained "), 4) << run.out;
  EXPECT_NE(run.out.find("run 4 of 4: runs/table1/stacked_mnist_ebm_bb_5, about 0 minutes left"),
            std::string::npos)
      << run.out;
  const std::string all =
      "runs/table1/stacked_mnist_dcgan_4 runs/table1/stacked_mnist_dcgan_5 "
      "runs/table1/stacked_mnist_ebm_bb_4 runs/table1/stacked_mnist_ebm_bb_5";
  EXPECT_NE(run.out.find("evaluated " + all + " --metrics modes\n"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("table " + all + " --table 1 --format text\n"), std::string::npos) << run.out;
}

TEST_F(ReproduceTest, ARunThatFailsKeepsNoOtherFromRunning) {
  const Finished run = reproduce("1 --scale 0.001 --seeds 1 --methods wgan_0gp meg");
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.err.find("reproduce: runs/table1/stacked_mnist_wgan_0gp_1: mnist_bb ended with status 1\n"),
            std::string::npos)
      << run.err;
  EXPECT_NE(run.out.find("table runs/table1/stacked_mnist_meg_1 --table 1"), std::string::npos) << run.out;
}

TEST_F(ReproduceTest, ARunThatCouldNotBeMeasuredHasItsRow) {
  tree_.plant("evaluate", "exit 1\n");
  const Finished run = reproduce("1 --scale 0.001 --seeds 1 --methods meg");
  EXPECT_EQ(run.status, 1);
  EXPECT_NE(run.err.find("reproduce: evaluate ended with status 1\n"), std::string::npos) << run.err;
  EXPECT_NE(run.out.find("table runs/table1/stacked_mnist_meg_1 --table 1"), std::string::npos) << run.out;
}

TEST_F(ReproduceTest, ATaskOfAnArrayIsOneRunOfTheList) {
  const std::string options = "1 --seeds 1 2 --methods dcgan meg ";
  const Finished list = reproduce(options + "--list");
  EXPECT_EQ(count(list.out, "\n"), 4) << list.out;
  const Finished task = reproduce(options + "--task 2");
  EXPECT_EQ(task.status, 0) << task.err;
  EXPECT_EQ(count(task.out, "\ntrained "), 1) << task.out;
  EXPECT_NE(task.out.find("--method meg --preset paper --seed 1 --iterations 120000"), std::string::npos);
  EXPECT_EQ(count(task.out, "evaluated"), 0) << task.out;
  EXPECT_EQ(reproduce(options + "--task 4").status, 2);
  const Finished end = reproduce(options + "--finish");
  EXPECT_NE(end.out.find("table runs/table1/stacked_mnist_meg_1 --table 1"), std::string::npos) << end.out;
  EXPECT_EQ(reproduce("1 --finish --out elsewhere").status, 1) << "there is nothing to print";
}

TEST_F(ReproduceTest, StopsWhenARunWasStopped) {
  tree_.plant("mnist_bb", "echo trained \"$@\"\nkill -TERM $$\n");
  const Finished run = reproduce("1 --seeds 1");
  EXPECT_EQ(run.status, 130);
  EXPECT_EQ(count(run.out, "\ntrained "), 1) << run.out;
  EXPECT_NE(run.err.find("reproduce: stopped; the same command goes on from there\n"), std::string::npos);
}

}  // namespace
}  // namespace ebm::test
