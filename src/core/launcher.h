// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ebm {

/// How a launcher (mpirun, mpiexec, srun) started this process: as which of how many. One of one without a launcher.
struct Launcher {
  int64_t rank = 0, size = 1;
  std::string name = {};                   ///< "mpirun" or "srun"
  std::optional<int64_t> local_rank = {};  ///< as which of its node, where that is told
};

/// As its environment variables tell: those of Open MPI, of MPICH and its kin, of a step of Slurm. Those of a Slurm job
/// alone do not count: a batch script has them too. EBM_RANKS, EBM_RANK and EBM_LOCAL_RANK come before all of them.
Launcher launcher();

}  // namespace ebm
