// SPDX-License-Identifier: MIT
// ./experiments/fig3, fig4, fig5 and curves on runs of a few iterations.
#include "../io/io_fixture.h"
#include "io/atomic_file.h"
#include "io/png.h"
#include "io/run_log.h"
#include "train/small_commands.h"

namespace ebm::test {
namespace {

class FigureProgramsTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    for (const char* name : {"fig3", "fig4", "fig5", "curves", "cifar10_bb", "sample"})
      if (program_path(name).empty()) GTEST_SKIP() << "the programs are not built";
  }
  std::string path(const std::string& name) const { return (*this / name).string(); }
  Finished fig3(const Words& more) const {
    Words words{program_path("fig3"), "--out", path("run")};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words);
  }
  Finished train(const std::string& iterations, const Words& more = {}) const {
    Words words{"--device",    "cpu",
                "--synthetic", "--shape-samples",
                "20",          "--batch",
                "4",           "--latent",
                "3",           "--width",
                "32",          "--grid",
                "2",           "--entropy-points",
                "3",           "--every",
                "2",           "--iterations",
                iterations};
    words.insert(words.end(), more.begin(), more.end());
    return fig3(words);
  }
};

TEST_F(FigureProgramsTest, Figure3GoesOnAndIsDrawnWithoutTraining) {
  const Finished first = train("2");
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_HAS(first.out, "picture " + path("run/fig3.png") + ", numbers " + path("run/run.h5"));
  const std::vector<uint8_t> picture = read_file(path("run/fig3.png"));
  const Finished second = train("6");
  ASSERT_EQ(second.status, 0) << second.err;
  EXPECT_HAS(second.out, "goes on from iteration 2");
  EXPECT_NE(read_file(path("run/fig3.png")), picture);

  const MetricTable metrics = read_run_log(path("run/run.h5")).metrics;
  EXPECT_EQ(metrics.iterations, (std::vector<int64_t>{2, 4, 6}));
  const auto column = [&](const std::string& name) {
    const auto at = std::find(metrics.names.begin(), metrics.names.end(), name);
    return metrics.columns.at(static_cast<size_t>(at - metrics.names.begin()));
  };
  for (size_t row = 0; row < 3; ++row) {
    EXPECT_LT(column("entropy_s1")[row], column("entropy_log_det")[row]);
    EXPECT_LT(column("entropy_log_det")[row], column("entropy_trace_bound")[row]);
  }

  const auto written = std::filesystem::last_write_time(*this / "run/run.h5");
  const Finished drawn = fig3({"--plot-only", "--more", "--picture", path("a.pdf")});
  ASSERT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_EQ(read_file(path("a.pdf"))[1], 'P');
  EXPECT_EQ(std::filesystem::last_write_time(*this / "run/run.h5"), written);
}

TEST_F(FigureProgramsTest, CurvesAreDrawnOfSeveralRuns) {
  ASSERT_EQ(train("4").status, 0);
  const Finished drawn = run_command({program_path("curves"), path("run"), path("run/run.h5"), "--picture",
                                      path("a.svg"), "--metrics", "penalty,entropy entropy_s1"});
  ASSERT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_EQ(drawn.out, path("a.svg") + "\n");
  EXPECT_EQ(read_file(path("a.svg"))[0], '<');
}

TEST_F(FigureProgramsTest, Figures4And5ShowTheSamplesOfRunsUnderTheirNames) {
  const auto train_images = [&](const std::string& method, const std::string& name, const Words& more) {
    return run_command(
               joined(small_images_command("cifar10_bb", method, path(name), {"--iterations", "1"}), more))
        .status;
  };
  ASSERT_EQ(train_images("wgan_0gp", "a", {"--ema", "0.5"}), 0);
  ASSERT_EQ(train_images("sngan", "b", {}), 0);
  const auto draw = [&](const std::string& program, const Words& runs) {
    Words words{program_path(program), "--device", "cpu", "--grid", "2", "-o", path("figure.png")};
    words.insert(words.end(), runs.begin(), runs.end());
    return run_command(words);
  };
  const Finished drawn = draw("fig4", {path("a"), path("b")});
  ASSERT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_EQ(drawn.out, path("figure.png") + "\n");

  // Each panel is, pixel by pixel, what `sample` draws of that run.
  const Image figure = read_png(path("figure.png"));
  int64_t top = -1;
  for (const char* run : {"a", "b"}) {
    ASSERT_EQ(run_command({program_path("sample"), path(run), "--device", "cpu", "--grid", "2", "--rows", "1",
                           "--out", path(std::string(run) + "_samples")})
                  .status,
              0);
    const Image grid = read_png(path(std::string(run) + "_samples/samples.png"));
    const int64_t left =
        run[0] == 'a' ? 28 : 28 + grid.width + 56;  // margin and gap, two pixels each of theirs
    const auto is_at = [&](int64_t y) {
      for (int64_t j = 0; j < grid.height; ++j) {
        for (int64_t i = 0; i < grid.width; ++i)
          if (!(figure.at(left + i, y + j) == grid.at(i, j))) return false;
      }
      return true;
    };
    for (int64_t y = 0; top < 0 && y + grid.height <= figure.height; ++y)
      if (is_at(y)) top = y;
    EXPECT_TRUE(top > 0 && is_at(top)) << run;
  }

  const Finished other = draw("fig5", {path("a")});
  EXPECT_EQ(other.status, 1);
  EXPECT_HAS(other.err, "makes images of 32x32x3, this figure has 64x64x3; give runs on ANIMEFACE");
  EXPECT_HAS(draw("fig4", {path("none")}).err, "there is no '" + path("none") + "'");
  EXPECT_EQ(draw("fig4", {}).status, 2);
}

TEST_F(FigureProgramsTest, WhatCannotBeDrawnIsOneLine) {
  const auto said = [](const Finished& finished, int status, const std::string& message) {
    EXPECT_EQ(finished.status, status);
    EXPECT_HAS(finished.err, message);
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  };
  said(fig3({"--plot-only"}), 1, "there is no " + path("run/run.h5") + " to draw");
  said(train("2", {"--picture", "a.gif"}), 2, "'a.gif' is no picture that can be drawn");
  said(train("2", {"--eval-every", "3"}), 2, "--every and --eval-every are the same");
  said(train("2", {"--method", "vera"}), 2, "the entropy of a generator with noise has no exact value");
  EXPECT_FALSE(std::filesystem::exists(*this / "run/run.h5"));
  const auto curves = [&](const Words& more) {
    Words words{program_path("curves"), path("none")};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words);
  };
  said(curves({}), 1, path("none"));
  said(curves({"--picture", "a.txt"}), 2, "'a.txt' is no picture that can be drawn");
}

}  // namespace
}  // namespace ebm::test
