// SPDX-License-Identifier: MIT
// Programs under a real mpirun.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <map>

#include "../train/small_commands.h"
#include "../train/trainer_fixture.h"
#include "io/atomic_file.h"
#include "support/tolerance.h"

namespace ebm::test {

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

}  // namespace ebm::test
