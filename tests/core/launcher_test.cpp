// SPDX-License-Identifier: MIT
#include "core/launcher.h"

#include <gtest/gtest.h>

#include <deque>

#include "support/environment.h"

namespace ebm::test {
namespace {

TEST(LauncherTest, IsToldFromItsVariables) {
  using Variables = std::vector<std::pair<const char*, const char*>>;
  const struct {
    Variables variables;
    int64_t rank, size;
    const char* name;
  } cases[] = {
      {{}, 0, 1, ""},
      {{{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "3"}}, 3, 4, "mpirun"},
      {{{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}}, 1, 2, "mpirun"},
      {{{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "5"}}, 5, 8, "srun"},
      // mpirun in a step of a Slurm job that has a task for each node
      {{{"SLURM_STEP_NUM_TASKS", "2"},
        {"SLURM_PROCID", "1"},
        {"OMPI_COMM_WORLD_SIZE", "16"},
        {"OMPI_COMM_WORLD_RANK", "9"}},
       9,
       16,
       "mpirun"},
      // a batch script
      {{{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}, 0, 1, ""},
      {{{"PMI_SIZE", "2"}}, 0, 1, ""},
      {{{"PMI_SIZE", "two"}, {"PMI_RANK", "1"}}, 0, 1, ""},
      {{{"PMI_SIZE", "2"}, {"PMI_RANK", "2"}}, 0, 1, ""},
  };
  for (const auto& [variables, rank, size, name] : cases) {
    std::deque<Environment> environment;
    for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMI_SIZE", "PMI_RANK",
                                 "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_NTASKS"})
      environment.emplace_back(variable, "");
    for (const auto& [variable, value] : variables) environment.emplace_back(variable, value);
    const Launcher found = launcher();
    EXPECT_EQ(found.rank, rank);
    EXPECT_EQ(found.size, size);
    EXPECT_EQ(found.name, name);
  }
}

}  // namespace
}  // namespace ebm::test
