// SPDX-License-Identifier: MIT
// Programs under a real mpirun: one run, one message, one end.
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "../train/small_commands.h"
#include "../train/trainer_fixture.h"
#include "io/atomic_file.h"
#include "support/environment.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

class JobTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("toy_bb").empty()) GTEST_SKIP() << "experiments/toy_bb is not built";
    if (program_path("../lib/libebm_mpi.so").empty()) GTEST_SKIP() << "built without MPI";
    if (run_command({"/bin/sh", "-c", "command -v mpirun"}).status != 0) GTEST_SKIP() << "there is no mpirun";
  }

  /// A command on so many processes, of one thread each, wherever this test runs: Open MPI's mpirun asks whether root
  /// and more processes than cores are meant.
  static Words on(int64_t processes, const Words& command, const Words& environment = {}) {
    Words words{"/usr/bin/env",
                "OMP_NUM_THREADS=1",
                "OMPI_ALLOW_RUN_AS_ROOT=1",
                "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                "OMPI_MCA_rmaps_base_oversubscribe=1",
                "OMPI_MCA_hwloc_base_binding_policy=none"};
    words = joined(words, environment);
    return joined(joined(words, {"mpirun", "-n", std::to_string(processes)}), command);
  }
  Words command(const std::string& out, const Words& more = {}) {
    return joined(small_toy_command((*this / out).string(), {"--batch", "16", "--adam-epsilon", "1e-2",
                                                             "--sync-batch-norm", "--log-every", "1"}),
                  more);
  }
  Words endless(const std::string& out) {
    return command(out, {"--iterations", "100000000", "--checkpoint-every", "50", "--log-every", "100"});
  }

  static int64_t count(const std::string& text, const std::string& part) {
    int64_t found = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }
  /// The job ended with this status and one message of the program's; mpirun may say more of its own.
  static void expect_one_message(const Finished& job, int status, const std::string& message) {
    EXPECT_EQ(job.status, status) << job.err;
    EXPECT_EQ(count(job.err, "toy_bb: "), 1) << job.err;
    EXPECT_HAS(job.err, message);
  }
  void expect_close_logs(const std::string& run, const std::string& expected) {
    const MetricTable a = read_run_log(*this / run / "run.h5").metrics,
                      b = read_run_log(*this / expected / "run.h5").metrics;
    ASSERT_EQ(a.names, b.names);
    ASSERT_EQ(a.iterations, b.iterations);
    for (size_t i = 0; i < a.names.size(); ++i) {
      if (!a.names[i].starts_with("loss_") && a.names[i] != "entropy") continue;
      const std::vector<float> column(a.columns[i].begin(), a.columns[i].end());
      EXPECT_TRUE(close(column, b.columns[i], {.factor = 64, .reason = "roundings of twenty iterations"}))
          << a.names[i];
    }
  }

  bool has_checkpoint(const std::string& out) { return newest_checkpoint(*this / out).has_value(); }
  void await_checkpoint(Process& job, const std::string& out) {
    while (job.running() && !(exists(*this / out) && has_checkpoint(out))) usleep(1000);
    ASSERT_TRUE(job.running());
  }
  /// The processes of a program whose command line has this word, by rank.
  static std::vector<pid_t> ranks_of(const std::string& word) {
    std::map<std::string, pid_t> by_rank;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (!bytes_of(entry.path() / "cmdline").starts_with(program_path("toy_bb"))) continue;
      if (!contains(bytes_of(entry.path() / "cmdline"), word)) continue;
      const std::string variables = bytes_of(entry.path() / "environ");
      for (const std::string variable : {"OMPI_COMM_WORLD_RANK=", "PMI_RANK="}) {
        const size_t at = variables.find(variable);
        if (at == std::string::npos) continue;
        by_rank[variables.substr(at + variable.size(), 1)] = static_cast<pid_t>(std::stol(name));
        break;
      }
    }
    std::vector<pid_t> ranks;
    for (const auto& [rank, process] : by_rank) ranks.push_back(process);
    return ranks;
  }
  void signal_rank(const std::string& out, size_t rank, int number) {
    const std::vector<pid_t> ranks = ranks_of((*this / out).string());
    ASSERT_EQ(ranks.size(), 2);
    ASSERT_EQ(kill(ranks[rank], number), 0);
  }
};

TEST_F(JobTest, TwoProcessesAreTheRunOfOne) {
  const Words twenty{"--iterations", "20"};
  ASSERT_EQ(run_command(command("one", twenty)).status, 0);
  const Finished two = run_command(on(2, command("two", twenty)));
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_EQ(count(two.out, "device: cpu"), 1) << two.out;
  EXPECT_EQ(count(two.out, "done: 20 iterations"), 1) << two.out;
  EXPECT_HAS(two.err, "images/s");
  expect_close_logs("two", "one");
  const Hdf5File log = Hdf5File::open_read(*this / "two/run.h5");
  EXPECT_EQ(log.read_attribute<std::string>("/", "processes"), "2");

  std::filesystem::rename(*this / "two", *this / "first");
  ASSERT_EQ(run_command(on(2, command("two", twenty))).status, 0);
  expect_same_runs(*this / "first", *this / "two", 20);
}

TEST_F(JobTest, GradientsMayTravelAsBfloat16) {
  const Words some{"--iterations", "6", "--hidden", "64"};  // more numbers than go in one message
  const Words rounded = joined(some, {"--gradient-compression", "bfloat16"});
  ASSERT_EQ(run_command(on(2, command("whole", some))).status, 0);
  const Finished two = run_command(on(2, command("two", rounded)));
  ASSERT_EQ(two.status, 0) << two.err;
  std::filesystem::rename(*this / "two", *this / "first");
  ASSERT_EQ(run_command(on(2, command("two", rounded))).status, 0);
  expect_same_runs(*this / "first", *this / "two", 6);
  const auto losses = [&](const char* run) {
    const MetricTable log = read_run_log(*this / run / "run.h5").metrics;
    const auto found = std::find(log.names.begin(), log.names.end(), "loss_energy");
    return log.columns.at(static_cast<size_t>(found - log.names.begin()));
  };
  const auto first = losses("first"), whole = losses("whole");
  EXPECT_EQ(first.at(0), whole.at(0)) << "nothing was learnt yet";
  EXPECT_NE(first, whole);
  const std::vector<float> column(first.begin(), first.end());
  EXPECT_TRUE(close(column, whole, {.factor = 0x1p16, .reason = "bfloat16's epsilon over float32's"}));
  expect_one_message(run_command(command("one", rounded)), 2,
                     "--gradient-compression has no use with one process; leave it out");
}

TEST_F(JobTest, ACheckpointGoesOnOnAnotherNumberOfProcesses) {
  ASSERT_EQ(run_command(command("one", {"--iterations", "20"})).status, 0);
  ASSERT_EQ(run_command(on(2, command("run", {"--iterations", "8"}))).status, 0);
  const Finished alone = run_command(command("run", {"--iterations", "14"}));
  ASSERT_EQ(alone.status, 0) << alone.err;
  EXPECT_HAS(alone.out, "goes on from iteration 8");
  const Finished four = run_command(on(4, command("run", {"--iterations", "20"})));
  ASSERT_EQ(four.status, 0) << four.err;
  EXPECT_EQ(count(four.out, "goes on from iteration 14"), 1) << four.out;
  expect_close_logs("run", "one");
}

TEST_F(JobTest, WhatCannotBeIsSaidOnce) {
  expect_one_message(run_command(on(3, command("x"))), 2,
                     "--batch 16 cannot be divided among 3 processes; give a multiple of 3");
  expect_one_message(run_command(on(2, command("x", {"--iteration", "3"}))), 2, "--iteration");
  expect_one_message(run_command(on(2, command("x", {"--dump-iteration", "3"}))), 2, "--dump-iteration");
  expect_one_message(run_command(on(2, command("y"), {"EBM_MPI_LIBRARY=/none/libebm_mpi.so"})), 1,
                     "mpirun started 2 processes, but the MPI library cannot be opened");
  EXPECT_FALSE(exists(*this / "y"));
  const Finished curves = run_command(on(2, {program_path("curves"), (*this / "x").string()}));
  EXPECT_EQ(curves.status, 2);
  EXPECT_EQ(count(curves.err, "curves: runs as one process, but mpirun started 2"), 1) << curves.err;
}

TEST_F(JobTest, ASignalToOneProcessStopsAllWithACheckpoint) {
  Process job(on(2, endless("run")));
  await_checkpoint(job, "run");
  signal_rank("run", 1, SIGTERM);
  const Finished ended = job.wait();
  EXPECT_EQ(ended.status, 143) << ended.err;
  const int64_t iteration = read_checkpoint_info(*newest_checkpoint(*this / "run")).iteration;
  EXPECT_EQ(count(ended.out, "stopped by SIGTERM at iteration " + format_count(iteration) + ";"), 1)
      << ended.out;
}

TEST_F(JobTest, AProcessThatDiesEndsTheJob) {
  Process job(on(2, endless("run")));
  await_checkpoint(job, "run");
  signal_rank("run", 0, SIGKILL);
  EXPECT_NE(job.wait().status, 0);
  while (!ranks_of((*this / "run").string()).empty()) usleep(1000);
}

TEST_F(JobTest, AProcessThatHangsEndsTheJobInTime) {
  for (const size_t rank : {size_t{0}, size_t{1}}) {
    const std::string out = "run" + std::to_string(rank);
    Process job(on(2, endless(out), {"EBM_RANK_TIMEOUT=2"}));
    await_checkpoint(job, out);
    signal_rank(out, rank, SIGSTOP);
    expect_one_message(job.wait(), 1, "the other processes did not answer for 2 s");
  }
}

TEST_F(JobTest, WhatFailsOnTheFirstEndsAll) {
  Process job(on(2, endless("run")));
  await_checkpoint(job, "run");
  write_file(*this / "file", "no folder");
  std::filesystem::rename(*this / "run/checkpoints", *this / "run/moved");
  std::filesystem::rename(*this / "file", *this / "run/checkpoints");
  expect_one_message(job.wait(), 1, "checkpoints");
}

}  // namespace
}  // namespace ebm::test
