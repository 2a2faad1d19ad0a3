// SPDX-License-Identifier: MIT
// A program that is killed at random moments and started again must leave what the uninterrupted run leaves.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <chrono>

#include "reference/random.h"
#include "support/process.h"
#include "trainer_fixture.h"

namespace ebm::test {

/// Runs `command`, which trains into `folder` for `iterations`, once to its end, and then again and again,
/// killed (SIGKILL) at moments spread over the length of a run, until `kills` have met it. Every run that
/// comes to its end must be the uninterrupted one bit for bit, its newest `picture` too.
inline void expect_kills_change_nothing(const std::vector<std::string>& command,
                                        const std::filesystem::path& folder, int kills, int64_t iterations,
                                        const std::string& picture) {
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(run_command(command).status, 0);
  const std::chrono::duration<double, std::micro> length = std::chrono::steady_clock::now() - start;
  // The same name for both: checkpoints hold the configuration, and that the folder.
  const std::filesystem::path whole = folder.parent_path() / "whole";
  std::filesystem::rename(folder, whole);

  reference::Random random{7};
  while (kills > 0) {
    Process process(command);
    usleep(static_cast<useconds_t>(length.count() * random.uniform()));
    if (process.running()) {
      process.signal(SIGKILL);
      process.wait();
      --kills;
    } else {
      ASSERT_EQ(process.wait().status, 0);
      expect_same_runs(whole, folder, iterations);
      std::filesystem::remove_all(folder);
    }
  }
  ASSERT_EQ(run_command(command).status, 0);
  expect_same_runs(whole, folder, iterations);
  EXPECT_TRUE(bytes_of(whole / picture) == bytes_of(folder / picture));
}

}  // namespace ebm::test
