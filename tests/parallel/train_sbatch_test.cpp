// SPDX-License-Identifier: MIT
// scripts/train.sbatch, with stand-ins for Slurm's commands.
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "../train/small_commands.h"
#include "../train/trainer_fixture.h"
#include "support/files.h"

namespace ebm::test {
namespace {

class TrainSbatchTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    script_ = golden_folder() / "../../scripts/train.sbatch";
    if (program_path("toy_bb").empty()) GTEST_SKIP() << "experiments/toy_bb is not built";
    if (!exists(script_)) GTEST_SKIP() << "scripts/train.sbatch is not here";
    stand_in("srun", "[ \"$1\" = --mpi=pmix ] && shift 2 && exec \"$@\"");
    stand_in("scontrol", "echo \"$@\" >>" + (*this / "queued").string());
  }
  void stand_in(const std::string& name, const std::string& text) {
    std::ofstream(*this / name) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(*this / name, std::filesystem::perms::owner_all);
  }
  Words job(const Words& more) {
    return joined({"/usr/bin/env", "SLURM_JOB_ID=7", "PATH=" + folder_.string() + ":/usr/bin:/bin", "bash",
                   script_.string()},
                  small_toy_command((*this / "run").string(), more));
  }
  std::filesystem::path script_;
};

TEST_F(TrainSbatchTest, WhenTimeIsUpTheRunStopsAndTheJobIsQueuedAgain) {
  for (const auto& [number, status, queued] :
       {std::tuple(SIGUSR1, 0, "requeue 7\n"), std::tuple(SIGTERM, 143, "requeue 7\n")}) {
    Process process(job({"--iterations", "100000000", "--checkpoint-every", "500"}));
    const auto before = exists(*this / "run") ? newest_checkpoint(*this / "run") : std::nullopt;
    while (process.running() && !(exists(*this / "run") && newest_checkpoint(*this / "run") != before))
      usleep(1000);
    process.signal(number);
    const Finished ended = process.wait();
    EXPECT_EQ(ended.status, status) << ended.err;
    EXPECT_HAS(ended.out, "stopped by SIG");
    EXPECT_EQ(bytes_of(*this / "queued"), queued) << "once: for the time alone";
  }
}

TEST_F(TrainSbatchTest, ARunThatEndsIsTheEndOfTheJob) {
  const Finished done = run_command(job({"--iterations", "3"}));
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(run_command(job({"--iterations", "many"})).status, 2);
  EXPECT_FALSE(exists(*this / "queued"));
}

}  // namespace
}  // namespace ebm::test
