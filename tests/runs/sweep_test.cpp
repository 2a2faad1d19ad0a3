// SPDX-License-Identifier: MIT
// ./experiments/sweep with small runs of toy_bb.
#include <unistd.h>

#include <algorithm>

#include "../io/io_fixture.h"
#include "io/atomic_file.h"
#include "io/run_log.h"
#include "support/process.h"
#include "train/run_folder.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

class SweepTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    for (const char* name : {"sweep", "toy_bb"})
      if (program_path(name).empty()) GTEST_SKIP() << "the programs are not built";
  }
  void table(const std::string& seeds, const std::string& common, const std::string& configurations) {
    write_file(*this / "t.toml", "program = 'toy_bb'\nseeds = " + seeds +
                                     "\n[common]\ndevice = 'cpu'\nhidden = 8\nbatch = 10\neval_grid = 20\n"
                                     "eval_points = 200\n" +
                                     common + "\n" + configurations);
  }
  std::vector<std::string> command(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{program_path("sweep"), (*this / "t.toml").string(), "-o", file()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static double last_of(const MetricTable& metrics, const std::string& name) {
    const auto found = std::find(metrics.names.begin(), metrics.names.end(), name);
    return metrics.columns.at(static_cast<size_t>(found - metrics.names.begin())).back();
  }
  std::string file() const { return (*this / "s.h5").string(); }
  std::string status_of(const std::string& configuration, int64_t seed) const {
    return Hdf5File::open_read(file()).read_attribute<std::string>(
        "configurations/" + configuration + "/runs/seed-" + std::to_string(seed), "status");
  }
  std::string log_of(const std::string& run) const {
    const auto bytes = read_file(folder_ / "s" / run / "log.txt");
    return {bytes.begin(), bytes.end()};
  }
};

TEST_F(SweepTest, TrainsEachRunOnce) {
  table("[11, 12]", "iterations = 3", "[[configuration]]\nname = 'h'\nhinge = [0, 1]\n");
  const Finished first = run_command(command({"--jobs", "2", "--threads", "1", "--columns", "log_z"}));
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_HAS(first.out, "4 runs, 0 complete\n");
  EXPECT_HAS(first.out, "toy_bb, 4 of 4 runs");
  const Hdf5File sweep = Hdf5File::open_read(file());
  for (const std::string name : {"h,hinge=0", "h,hinge=1"}) {
    const std::string group = "configurations/" + name;
    EXPECT_EQ(sweep.read_dataset<int64_t>(group + "/seed").values, (std::vector<int64_t>{11, 12}));
    EXPECT_EQ(sweep.read_attribute<double>(group + "/options", "hinge"), name.ends_with("0") ? 0 : 1);
    const auto log_z = sweep.read_dataset<double>(group + "/evaluated/log_z").values;
    const auto loss = sweep.read_dataset<double>(group + "/training/loss_energy").values;
    for (const size_t i : {0, 1}) {
      const RunLogContent log =
          read_run_log(folder_ / "s" / name / ("seed-1" + std::to_string(i + 1)) / "run.h5");
      EXPECT_EQ(log.metrics.iterations.back(), 3);
      EXPECT_EQ(log_z.at(i), last_of(log.metrics, "log_z"));
      EXPECT_EQ(loss.at(i), last_of(log.metrics, "loss_energy"));
    }
  }
  const std::string said = log_of("h,hinge=0/seed-11");
  EXPECT_HAS(said, "done: 3 iterations");
  const Finished again = run_command(command({"--columns", "log_z"}));
  EXPECT_HAS(again.out, "4 runs, 4 complete\n");
  EXPECT_EQ(log_of("h,hinge=0/seed-11"), said) << "it was started again";
  const std::string shown = run_command({program_path("sweep"), "--show", file(), "--columns", "log_z"}).out;
  EXPECT_FALSE(shown.empty());
  EXPECT_HAS(first.out, shown);
}

TEST_F(SweepTest, AFailedRunIsToldAndKeepsNoOtherFromRunning) {
  table("[1]", "iterations = 3\nlog_every = 1",
        "[[configuration]]\nname = 'bad'\nlr_energy = 1e38\n[[configuration]]\nname = 'good'\n");
  const Finished done = run_command(command());
  EXPECT_EQ(done.status, 1);
  EXPECT_HAS(done.out, "failed: bad with seed 1: toy_bb: at iteration ");
  EXPECT_HAS(done.err, "sweep: 1 run is not complete: bad/seed-1");
  EXPECT_EQ(status_of("bad", 1), "failed");
  EXPECT_EQ(status_of("good", 1), "complete");
}

TEST_F(SweepTest, AWrongOptionIsOneLineBeforeAnythingRuns) {
  table("[1]", "iterations = 3",
        "[[configuration]]\nname = 'good'\n[[configuration]]\nname = 'bad'\nhing = 1\n");
  expect_refused("sweep", run_command(command()), 1,
                 "t.toml:12: configuration 'bad', seed 1: toy_bb: unknown option '--hing'");
  EXPECT_EQ(count_files(), 1) << "something was made";
}

TEST_F(SweepTest, GoesOnWhereItWasStopped) {
  table("[1]", "iterations = 1000000000\nlog_every = 50\neval_every = 50", "");
  Process sweep(command());
  const fs::path run = folder_ / "s/base/seed-1";
  for (int i = 0; i < 1000 && sweep.running() && !fs::exists(run / "density.png"); ++i) usleep(10000);
  sweep.signal(SIGTERM);
  const Finished stopped = sweep.wait();
  EXPECT_EQ(stopped.status, 128 + SIGTERM) << stopped.err;
  EXPECT_HAS(stopped.out, "stopped by SIGTERM; the same command goes on from there");
  EXPECT_EQ(status_of("base", 1), "stopped");
  EXPECT_HAS(log_of("base/seed-1"), "stopped by SIGTERM at iteration ");

  const int64_t done = read_checkpoint_info(newest_checkpoint(run).value()).iteration;
  table("[1]", "iterations = " + std::to_string(done + 3) + "\nlog_every = 50\neval_every = 50", "");
  const Finished rest = run_command(command());
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_HAS(log_of("base/seed-1"), "goes on from iteration ");
  EXPECT_EQ(Hdf5File::open_read(file()).read_dataset<int64_t>("configurations/base/iteration").values.at(0),
            done + 3);
}

}  // namespace
}  // namespace ebm::test
