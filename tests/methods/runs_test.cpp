// SPDX-License-Identifier: MIT
// Every method as a program trains it: killed and resumed, with every option that all methods have, on points
// and on images; what makes no sense is one line.
#include <gtest/gtest.h>

#include "../train/killed_runs.h"
#include "io/atomic_file.h"
#include "methods/registry.h"
#include "train/small_commands.h"

namespace ebm::test {
namespace {

class MethodRunsTest : public IoTest, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("toy_bb").empty()) GTEST_SKIP() << "the programs are not built";
  }
  std::string path(const std::string& name) const { return (*this / name).string(); }
};

TEST_P(MethodRunsTest, KilledAndResumedItIsTheUninterruptedRun) {
  const Words options{"--method",
                      GetParam(),
                      "--log-every",
                      "7",
                      "--checkpoint-every",
                      "10",
                      "--eval-every",
                      "20",
                      "--iterations",
                      "60",
                      "--ema",
                      "0.9",
                      "--lr-schedule",
                      "cosine",
                      "--warm-up",
                      "15",
                      "--clip-gradient-norm",
                      "0.5",
                      "--energy-steps",
                      "2",
                      "--initial",
                      "normal"};
  expect_kills_change_nothing(small_toy_command(path("run"), options), *this / "run", 5, 60, "density.png");
}

/// On images, with what the run above leaves out. Runs of a few iterations, which end within a moment.
TEST_P(MethodRunsTest, KilledAndResumedOnImagesItIsTheUninterruptedRun) {
  const std::string method = GetParam();
  Words command{program_path("cifar10_bb"),
                "--device",
                "cpu",
                "--synthetic",
                "--shape-samples",
                "20",
                "--method",
                method,
                "--batch",
                "3",
                "--latent",
                "2",
                "--width",
                "1",
                "--grid",
                "2",
                "--log-every",
                "3",
                "--checkpoint-every",
                "4",
                "--eval-every",
                "10",
                "--iterations",
                "60",
                "--energy-steps",
                "2",
                "--lr-schedule",
                "linear",
                "--initial",
                "orthogonal",
                "--out",
                path("run")};
  if (method != "vera") command = joined(command, {"--generator-steps", "2"});  // VERA has one
  if (method == "ebm_bb" || method == "ebm_0gp") command = joined(command, {"--entropy-z", "generator"});
  if (method == "dcgan" || method == "sngan")
    command = joined(command, {"--networks", "own", "--generator-batch", "4"});
  expect_kills_change_nothing(command, *this / "run", 5, 60, "samples.png");
}

/// An experiment on images in words, small.
struct SmallProgram {
  std::string name;
  Words words;
};
std::vector<SmallProgram> small_programs() {
  return {{"mnist", {program_path("mnist_bb"), "--width", "16"}},
          {"stacked", {program_path("mnist_bb"), "--width", "16", "--stacked"}},
          {"cifar10", {program_path("cifar10_bb"), "--width", "2"}},
          {"animeface", {program_path("animeface_bb"), "--width", "1"}}};
}

TEST_P(MethodRunsTest, TrainsOnImagesWithBothPresets) {
  for (const char* preset : {"paper", "code"}) {
    for (const SmallProgram& program : small_programs()) {
      const std::string out = program.name + preset;
      const Finished finished = run_command(joined(
          program.words, {"--device", "cpu",      "--synthetic", "--shape-samples", "20",     "--method",
                          GetParam(), "--preset", preset,        "--batch",         "4",      "--latent",
                          "2",        "--grid",   "2",           "--iterations",    "2",      "--eval-every",
                          "2",        "--ema",    "0.5",         "--out",           path(out)}));
      EXPECT_EQ(finished.status, 0) << out << ": " << finished.err;
      EXPECT_TRUE(exists(*this / out / "samples.png"));
      const Finished drawn = run_command({program_path("sample"), path(out), "--device", "cpu", "--grid", "2",
                                          "--rows", "2", "--columns", "2", "--out", path("")});
      EXPECT_EQ(drawn.status, 0) << out << ": " << drawn.err;
    }
  }
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const MethodRow& row : methods()) names.emplace_back(row.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(All, MethodRunsTest, testing::ValuesIn(method_names()),
                         [](const auto& info) { return info.param; });

using MethodErrorsTest = IoTest;

TEST_F(MethodErrorsTest, CombinationsThatMakeNoSenseAreOneLine) {
  if (program_path("toy_bb").empty()) GTEST_SKIP() << "the programs are not built";
  write_file(*this / "ebm_bb.toml", "program = \"toy_bb\"\nmethod = \"ebm_bb\"\n");
  const struct {
    Words words;
    std::string message;
  } cases[] = {
      {{"--method", "dcgan", "--lower-bound", "slq"}, "unknown option '--lower-bound' with --method dcgan"},
      {{"--method", "mle", "--energy-steps", "2"}, "--energy-steps has no use with --method mle"},
      {{"--preset", "paper", "--couplings", "2"}, "--couplings has no use with --generator mlp"},
      {{"--preset", "tuned", "--generator-depth", "3"}, "--generator-depth has no use with --generator flow"},
      {{"--preset", "tuned", "--generator", "mlp"}, "batch norm; give --generator flow"},
      {{"--preset", "paper", "--sample-weights", "importance"}, "give --lower-bound logdet"},
      {{"--preset", "paper", "--wide-share", "0.5"}, "want --sample-weights importance"},
      {{"--method", "sngan", "--penalty-weight", "1"}, "unknown option '--penalty-weight'"},
      {{"--method", "meg", "--entropy-z", "energy"}, "unknown option '--entropy-z'"},
      {{"--method", "vera", "--generator-steps", "2"}, "--generator-steps"},
      {{"--method", "ebm_bb", "--entropy-z", "energy", "--generator-steps", "2"}, "--generator-steps 1"},
      {{"--method", "ebm_bb", "--lower-bound", "none"}, "lower bound"},
      {{"--method", "dcgan", "--generator-batch", "1"}, "--generator-batch 1"},
      {{"--method", "vera", "--sigma-min", "0.5"}, "--sigma-max"},
      {{"--method", "meg", "--config", (*this / "ebm_bb.toml").string()},
       "is a configuration with method 'ebm_bb'"},
      {{"--lr-horizon", "5"}, "--lr-schedule constant"},
      {{"--ema", "1"}, "--ema"},
      {{"--method", "gan"}, "--method"}};
  for (const auto& one : cases) {
    std::filesystem::remove_all(*this / "run");
    const Finished finished =
        run_command(small_toy_command((*this / "run").string(), joined(one.words, {"--iterations", "2"})));
    EXPECT_GE(finished.status, 1) << finished.out;
    EXPECT_LE(finished.status, 2);
    EXPECT_NE(finished.err.find(one.message), std::string::npos) << finished.err;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
    if (finished.status == 2) {
      EXPECT_FALSE(exists(*this / "run")) << one.message;
    }
  }
}

/// The rates fall over the iterations that a run was first started with, and so they do when it goes on.
TEST_F(MethodErrorsTest, AScheduleIsThatOfTheFirstStart) {
  if (program_path("toy_bb").empty()) GTEST_SKIP() << "the programs are not built";
  const std::string out = (*this / "run").string();
  const auto train = [&](const Words& more) {
    return run_command(small_toy_command(out, joined({"--method", "sngan"}, more)));
  };
  for (const Words& more : {Words{"--iterations", "4", "--lr-horizon", "0"}, Words{"--iterations", "6"}}) {
    const Finished finished = train(more);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_NE(bytes_of(*this / "run/config.toml").find("\nlr_horizon = 4 "), std::string::npos);
  }
  EXPECT_NE(train({"--iterations", "6", "--lr-horizon", "6"}).err.find("lr_horizon: the run has 4, now 6"),
            std::string::npos);
}

}  // namespace
}  // namespace ebm::test
