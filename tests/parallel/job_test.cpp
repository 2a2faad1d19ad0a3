// SPDX-License-Identifier: MIT
// Programs under a real mpirun: one run, one message, one end.
#include "job_fixture.h"

namespace ebm::test {
namespace {

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
