// SPDX-License-Identifier: MIT
// scripts/gpu_check where there is no GPU: what needs none runs, the rest says so, and a failure shows. Steps
// that hang, crash or print nonsense are planted: the report is there, and nothing of them is left running.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "support/files.h"
#include "support/process.h"
#include "support/script_tree.h"

namespace ebm::test {
namespace {

using std::chrono::steady_clock;

/// On the programs of this build.
class GpuCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_scripts(); !reason.empty()) GTEST_SKIP() << reason;
    if (program_path("roofline").empty()) GTEST_SKIP() << "the programs are not built";
  }
  Finished run(std::vector<std::string> words) {
    words.insert(words.begin(), {script_path("gpu_check").string(), "--emulated", "--report",
                                 tree_.path("gpu_check.md").string()});
    return run_command(words);
  }
  std::string report() const { return tree_.content("gpu_check.md"); }
  ScriptTree tree_{"gpu_check_reports"};
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

// A budget is a promise on time, the only one that a test can hold here: the clock is asked for no speed.
TEST_F(GpuCheckTest, EndsWithinItsBudgetWithALineForEachStep) {
  const auto start = steady_clock::now();
  run({"--budget", "20", "--limit", "2"});
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(20));
  const std::string text = report();
  for (const char* step :
       {"200 iterations on points", "milliseconds an iteration", "timeline, tf32",
        "tests of kernels on the device", "other tests on the device", "trajectory of cifar10_bb",
        "plans of convolutions", "benchmarks", "PyTorch: cifar10", "memcheck: kernels"}) {
    EXPECT_NE(text.find(std::string("\n| ") + step + " | "), std::string::npos) << step << " is not in\n"
                                                                                << text;
  }
  EXPECT_EQ(text.find("racecheck"), std::string::npos) << "what is too slow for a short stay: " << text;
}

/// On planted programs.
class PlantedSteps : public testing::Test {
 protected:
  static constexpr const char* passes = "echo fine\n";
  static constexpr const char* crashes = "echo before the crash\nkill -SEGV $$\n";
  /// With a process in a session of its own, as a tool's helper may have.
  static constexpr const char* hangs =
      "echo before it hangs\nsetsid sleep 600 &\necho $! >\"$(dirname \"$0\")/hanging\"\nsleep 600\n";

  void SetUp() override {
    if (const std::string reason = why_no_scripts(); !reason.empty()) GTEST_SKIP() << reason;
    for (const char* name : {"gpu_check", "timed_steps.py", "run_tests"}) tree_.copy_script(name);
    tree_.plant("tests", passes);
  }
  std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.begin(),
                 {tree_.path("scripts/gpu_check").string(), "--report", tree_.path("report.md").string()});
    return words;
  }
  void expect_line(const std::string& line) const {
    const std::string text = tree_.content("report.md");
    EXPECT_NE(text.find("\n" + line), std::string::npos) << line << " is no line of\n" << text;
  }
  void expect_nothing_left() const {
    EXPECT_FALSE(process_runs(tree_.content("bin/hanging"))) << "a process of the hanging step lives on";
  }
  ScriptTree tree_{"planted_steps"};
};

TEST_F(PlantedSteps, NoneKeepsTheNextFromRunning) {
  tree_.plant("toy_bb", crashes);
  tree_.plant("cifar10_bb", hangs);
  tree_.plant("bench", "echo '{\"benchmarks\": [{\"name\"'\n");
  const Finished finished = run_command(command({"--limit", "2", "smoke", "iteration", "bench", "plans"}));
  EXPECT_EQ(finished.status, 1) << finished.out << finished.err;
  for (const char* line :
       {"3 passed, 2 failed, 1 stopped at their limits, 1 not run", "| a GPU answers | passed |",
        "| 200 iterations on points | FAILED: ended by SIGSEGV |", "before the crash\n",
        "| 20 iterations on images, no plan timed | STOPPED: no end within 2 s |", "before it hangs\n",
        "| milliseconds an iteration | FAILED: JSONDecodeError: ", "| benchmarks | passed |",
        "| plans of convolutions | not run: there is no bin/convolution_plans here |"}) {
    expect_line(line);
  }
  expect_nothing_left();
}

TEST_F(PlantedSteps, TakeNoMoreThanTheBudget) {
  tree_.plant("toy_bb", hangs);
  const auto start = steady_clock::now();
  EXPECT_EQ(run_command(command({"--budget", "10"})).status, 1);
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(10));
  expect_line("| 200 iterations on points | STOPPED: no end within ");
  expect_line("| milliseconds an iteration | not run: no time was left of the budget |");
  expect_line("| memcheck: one training iteration | not run: no time was left of the budget |");
  expect_nothing_left();
}

TEST_F(PlantedSteps, LeaveTheReportWhenASignalEndsThem) {
  tree_.plant("toy_bb", passes);
  tree_.plant("cifar10_bb", hangs);
  Process check(command({"smoke", "bench"}));
  ASSERT_TRUE(tree_.appears("bin/hanging"));
  expect_line("| 200 iterations on points | passed |");  // written while the next is at work
  check.signal(SIGTERM);
  EXPECT_EQ(check.wait().status, 128 + SIGTERM);
  expect_line("| 200 iterations on points | passed |");
  expect_line("| 20 iterations on images, no plan timed | INTERRUPTED by SIGTERM |");
  expect_line("| benchmarks | not run: interrupted |");
  expect_nothing_left();
}

TEST_F(PlantedSteps, DoNotBeginWhereNoGpuAnswers) {
  tree_.plant("tests", "echo 'open_test.cpp:1: Skipped'\necho 'there is no driver'\n");
  tree_.plant("toy_bb", passes);
  const Finished finished = run_command(command({"smoke"}));
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.err, "gpu_check: nothing to check: there is no driver\n");
  expect_line("| a GPU answers | FAILED: there is no driver |");
  expect_line("| 200 iterations on points | not run: not before this passes: a GPU answers |");
}

TEST_F(PlantedSteps, NumbersAreReadFromStdoutAlone) {
  tree_.plant("bench",
              "echo 'a warning' >&2\n"
              "echo '{\"benchmarks\": [{\"name\": \"toy/ebm_bb/code/manual_time\", \"real_time\": 0.5, "
              "\"time_unit\": \"ms\"}]}'\n");
  EXPECT_EQ(run_command(command({"iteration"})).status, 0);
  expect_line("toy/ebm_bb/code: 0.5000 ms an iteration\n");
}

TEST_F(PlantedSteps, ToldToWriteWhereNothingCanBeWrittenRunNothing) {
  tree_.plant("toy_bb", hangs);
  const Finished finished =
      run_command({tree_.path("scripts/gpu_check").string(), "--report", "/proc/none/report.md", "smoke"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(finished.err, "gpu_check: /proc/none/report.md: No such file or directory\n");
}

TEST_F(PlantedSteps, OfTestsSayWhatHadRunWhenTheyWereStopped) {
  // A test program that lists two tests; the second hangs.
  tree_.plant(
      "tests",
      "case \"$*\" in\n"
      "  *list_tests*) echo A.; echo '  quick'; echo '  slow' ;;\n"
      "  *CudaAnswers*) ;;\n"
      "  *) case \"$(cat ${1#--gtest_flagfile=})\" in *A.quick*) echo '[ RUN      ] A.quick'; "
      "echo '[       OK ] A.quick (1 ms)' ;;\n"
      "     *) echo '[ RUN      ] A.slow'; echo $$ >\"$(dirname \"$0\")/hanging\"; sleep 600 ;; esac ;;\n"
      "esac\n");
  EXPECT_EQ(run_command(command({"--limit", "3", "tests"})).status, 1);
  expect_line("| tests of kernels on the device | STOPPED: no end within 3 s |");
  expect_line("  interrupted: 1 of 2 tests were not reached\n");
  expect_line("1 passed, 0 failed\n");
  expect_nothing_left();
}

}  // namespace
}  // namespace ebm::test
