// SPDX-License-Identifier: MIT
// Programs without MPI, whose processes find each other in a folder.
#include "job_fixture.h"

#include "support/devices.h"

namespace ebm::test {
namespace {

/// On CPUs and on emulated GPUs. Nothing of MPI is wanted.
class FolderJobTest : public JobTest, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("toy_bb").empty()) GTEST_SKIP() << "experiments/toy_bb is not built";
    if (!why_missing(GetParam()).empty()) GTEST_SKIP() << why_missing(GetParam());
    std::filesystem::create_directory(*this / "folder");
  }
  Words on_device(const std::string& out, const Words& more) {
    Words words{"/usr/bin/env", "OMP_NUM_THREADS=1", "NVIDIA_TF32_OVERRIDE=0"};
    if (GetParam() == "emulated")
      words = joined(words, {"EBM_CUDA_LIBRARY=" + emulated_library(), "EBM_EMULATED_GPUS=2"});
    return joined(words, command(out, joined({"--device", GetParam() == "cpu" ? "cpu" : "cuda"}, more)));
  }
  Words process(int64_t rank, int64_t size, const Words& run) {
    const std::string place = std::to_string(rank);
    return joined({"/usr/bin/env", "EBM_RANKS=" + std::to_string(size), "EBM_RANK=" + place,
                   "EBM_LOCAL_RANK=" + place, "EBM_RANK_FOLDER=" + (*this / "folder").string()},
                  run);
  }
  /// A job of two processes. What the first one says and how it ends.
  Finished two(const Words& run) {
    Process second(process(1, 2, run));
    const Finished first = run_command(process(0, 2, run)), other = second.wait();
    EXPECT_EQ(other.status, first.status);
    EXPECT_EQ(other.out + other.err, "") << "the first one speaks";
    EXPECT_TRUE(std::filesystem::is_empty(*this / "folder"));
    return first;
  }
};

TEST_P(FolderJobTest, TwoProcessesAreTheRunOfOne) {
  ASSERT_EQ(run_command(on_device("one", {"--iterations", "6"})).status, 0);
  const Finished done = two(on_device("two", {"--iterations", "6"}));
  ASSERT_EQ(done.status, 0) << done.err;
  expect_close_logs("two", "one");
}

TEST_P(FolderJobTest, WhatIsWrongIsSaidOnce) {
  expect_one_message(two(on_device("wrong", {"--batch", "9"})), 2,
                     "--batch 9 cannot be divided among 2 processes");
  Process second(process(1, 3, on_device("wrong", {})));
  expect_one_message(run_command(process(0, 2, on_device("wrong", {}))), 1,
                     "the first process is one of 2, another one is one of 3");
  const Finished other = second.wait();
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.err, "");
}

TEST_P(FolderJobTest, AProcessThatDiesEndsTheJob) {
  const Words run = on_device("run", {"--iterations", "100000000", "--checkpoint-every", "50"});
  Process first(process(0, 2, run));
  {
    Process second(process(1, 2, run));
    await_checkpoint(first, "run");
    second.signal(SIGKILL);
    second.wait();
  }
  expect_one_message(first.wait(), 1, "another process ");
}

INSTANTIATE_TEST_SUITE_P(Devices, FolderJobTest, testing::Values("cpu", "emulated"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace ebm::test
