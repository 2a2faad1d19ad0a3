// SPDX-License-Identifier: MIT
// Programs under a real mpirun whose processes have an emulated GPU each.
#include "job_fixture.h"

#include "kernels/cuda/interface.h"
#include "support/devices.h"

namespace ebm::test {
namespace {

/// On emulated GPUs, and where there are two real ones on those.
class GpuJobTest : public JobTest, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    JobTest::SetUp();
    if (IsSkipped()) return;
    if (!why_missing(GetParam()).empty()) GTEST_SKIP() << why_missing(GetParam());
    if (!emulated() && ask_cuda_driver().devices < 2) GTEST_SKIP() << "there is one GPU";
  }
  static bool emulated() { return GetParam() == "emulated"; }
  /// What gives a process so many GPUs.
  static Words gpus(int64_t count) {
    if (!emulated())
      return {"NVIDIA_TF32_OVERRIDE=0", count == 1 ? "CUDA_VISIBLE_DEVICES=0" : "CUDA_VISIBLE_DEVICES=0,1"};
    return {"NVIDIA_TF32_OVERRIDE=0", "EBM_CUDA_LIBRARY=" + emulated_library(),
            "EBM_EMULATED_GPUS=" + std::to_string(count)};
  }
  /// So many processes on a machine of so many GPUs.
  static Words on_gpus(int64_t processes, int64_t count, const Words& command,
                       const Words& environment = {}) {
    return on(processes, command, joined(gpus(count), environment));
  }
  Words gpu_command(const std::string& out, const Words& more = {}) {
    return command(out, joined({"--device", "cuda"}, more));
  }
  Words endless_on_gpus(const std::string& out) { return joined(endless(out), {"--device", "cuda"}); }
};

TEST_P(GpuJobTest, TwoGpusAreTheRunOfOne) {
  const Words some{"--iterations", "6"};
  ASSERT_EQ(run_command(on_gpus(1, 1, gpu_command("one", some))).status, 0);
  const Finished two = run_command(on_gpus(2, 2, gpu_command("two", some)));
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_EQ(count(two.out, "device: cuda:0 "), 1) << two.out;
  EXPECT_EQ(count(two.out, "done: 6 iterations"), 1) << two.out;
  expect_close_logs("two", "one");

  // Another number of them goes on, and `auto` takes the GPUs.
  const Finished more = run_command(on_gpus(2, 2, command("one", {"--iterations", "9", "--device", "auto"})));
  ASSERT_EQ(more.status, 0) << more.err;
  EXPECT_HAS(more.out, "device: cuda:0 ");
  EXPECT_HAS(more.out, "goes on from iteration 6");
}

TEST_P(GpuJobTest, WhatCannotBeIsSaidOnce) {
  if (!emulated()) GTEST_SKIP() << "a machine of so many GPUs is wanted";
  expect_one_message(run_command(on_gpus(2, 3, command("x", {"--device", "cuda:2"}))), 1,
                     "processes 0 and 1 have the same GPU");
  expect_one_message(run_command(on_gpus(3, 2, command("x", {"--device", "cuda", "--batch", "12"}))), 1,
                     "process 2 of this node (they count from 0) finds 2 GPUs");
  expect_one_message(run_command(on_gpus(2, 1, command("x", {"--device", "cuda"}))), 1,
                     "processes 0 and 1 have the same GPU");
  EXPECT_FALSE(exists(*this / "x"));
}

TEST_P(GpuJobTest, AutoTakesCpusWhereThereAreTooFewGpus) {
  if (!emulated()) GTEST_SKIP() << "a machine of so many GPUs is wanted";
  const Words some{"--iterations", "2", "--device", "auto", "--batch", "12"};
  for (const auto& [processes, why] : {std::pair{2, "note: the GPUs are not used: processes 0 and 1 have"},
                                       std::pair{3, "note: the GPUs are not used: another process can"}}) {
    const std::string out = "auto" + std::to_string(processes);
    const Finished job = run_command(on_gpus(processes, processes - 1, command(out, some)));
    ASSERT_EQ(job.status, 0) << job.err;
    EXPECT_EQ(count(job.err, why), 1) << job.err;
    EXPECT_EQ(count(job.err, "note: "), 1) << job.err;
    EXPECT_HAS(job.out, "device: cpu");
  }
}

TEST_P(GpuJobTest, ASignalToOneProcessStopsAllWithACheckpoint) {
  Process job(on_gpus(2, 2, endless_on_gpus("run")));
  await_checkpoint(job, "run");
  signal_rank("run", 1, SIGTERM);
  const Finished ended = job.wait();
  EXPECT_EQ(ended.status, 143) << ended.err;
  EXPECT_EQ(count(ended.out, "stopped by SIGTERM at iteration "), 1) << ended.out;
}

TEST_P(GpuJobTest, AProcessThatDiesEndsTheJob) {
  for (const size_t rank : {size_t{0}, size_t{1}}) {
    const std::string out = "run" + std::to_string(rank);
    Process job(on_gpus(2, 2, endless_on_gpus(out)));
    await_checkpoint(job, out);
    signal_rank(out, rank, SIGKILL);
    EXPECT_NE(job.wait().status, 0);
    while (!ranks_of((*this / out).string()).empty()) usleep(1000);
  }
}

TEST_P(GpuJobTest, AProcessThatHangsEndsTheJobInTime) {
  Process job(on_gpus(2, 2, endless_on_gpus("run"), {"EBM_RANK_TIMEOUT=2"}));
  await_checkpoint(job, "run");
  signal_rank("run", 1, SIGSTOP);
  expect_one_message(job.wait(), 1, "the other processes did not answer for 2 s");
}

TEST_P(GpuJobTest, WhatFailsOnTheFirstEndsAll) {
  Process job(on_gpus(2, 2, endless_on_gpus("run")));
  await_checkpoint(job, "run");
  write_file(*this / "file", "no folder");
  std::filesystem::rename(*this / "run/checkpoints", *this / "run/moved");
  std::filesystem::rename(*this / "file", *this / "run/checkpoints");
  expect_one_message(job.wait(), 1, "checkpoints");
}

INSTANTIATE_TEST_SUITE_P(Devices, GpuJobTest, testing::Values("emulated", "cuda"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace ebm::test
