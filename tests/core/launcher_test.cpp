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
    std::optional<int64_t> local_rank = std::nullopt;
  } cases[] = {
      {{}, 0, 1, ""},
      {{{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "3"}}, 3, 4, "mpirun"},
      {{{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}}, 1, 2, "mpirun"},
      {{{"EBM_RANKS", "3"}, {"EBM_RANK", "2"}, {"EBM_LOCAL_RANK", "0"}, {"PMI_SIZE", "2"}},
       2,
       3,
       "EBM_RANKS",
       0},
      {{{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "5"}}, 5, 8, "srun"},
      // mpirun in a step of a Slurm job that has a task for each node
      {{{"SLURM_STEP_NUM_TASKS", "2"},
        {"SLURM_PROCID", "1"},
        {"OMPI_COMM_WORLD_SIZE", "16"},
        {"OMPI_COMM_WORLD_RANK", "9"}},
       9,
       16,
       "mpirun"},
      // as which of its node
      {{{"OMPI_COMM_WORLD_SIZE", "8"}, {"OMPI_COMM_WORLD_RANK", "5"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "1"}},
       5,
       8,
       "mpirun",
       1},
      {{{"PMI_SIZE", "8"}, {"PMI_RANK", "5"}, {"MPI_LOCALRANKID", "2"}, {"SLURM_LOCALID", "0"}},
       5,
       8,
       "mpirun",
       2},
      {{{"PMI_SIZE", "8"}, {"PMI_RANK", "5"}, {"PMI_LOCAL_RANK", "3"}}, 5, 8, "mpirun", 3},
      {{{"PMI_SIZE", "8"}, {"PMI_RANK", "5"}, {"SLURM_LOCALID", "1"}}, 5, 8, "mpirun", 1},
      {{{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "5"}, {"SLURM_LOCALID", "3"}}, 5, 8, "srun", 3},
      {{{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "5"}, {"SLURM_LOCALID", "-3"}}, 5, 8, "srun"},
      // a batch script
      {{{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}, 0, 1, ""},
      {{{"PMI_SIZE", "2"}}, 0, 1, ""},
      {{{"PMI_SIZE", "two"}, {"PMI_RANK", "1"}}, 0, 1, ""},
      {{{"PMI_SIZE", "2"}, {"PMI_RANK", "2"}}, 0, 1, ""},
  };
  for (const auto& [variables, rank, size, name, local_rank] : cases) {
    std::deque<Environment> environment;
    for (const char* variable :
         {"EBM_RANKS", "EBM_RANK", "EBM_LOCAL_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK",
          "PMI_SIZE", "PMI_RANK", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_NTASKS",
          "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "PMI_LOCAL_RANK", "SLURM_LOCALID"})
      environment.emplace_back(variable, "");
    for (const auto& [variable, value] : variables) environment.emplace_back(variable, value);
    const Launcher found = launcher();
    EXPECT_EQ(found.rank, rank);
    EXPECT_EQ(found.size, size);
    EXPECT_EQ(found.name, name);
    EXPECT_EQ(found.local_rank, local_rank);
  }
}

}  // namespace
}  // namespace ebm::test
