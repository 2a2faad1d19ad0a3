// SPDX-License-Identifier: MIT
// The ranks that a launcher (mpirun, srun) started: one job that succeeds, stops or fails as a whole.
#pragma once

#include <memory>

#include "core/error.h"
#include "core/launcher.h"
#include "parallel/communicator.h"

namespace ebm {

class JobRanks : public HostRanks {
 public:
  /// All is done on this rank: returns when it is on all, and ends the library. Nothing may follow.
  virtual void finish() = 0;

  /// This rank fails, or heard that another does. Tells the others, whose next call throws, and waits until all have
  /// come here too. Returns what there is to say: on rank 0 the failure of the job (its own, if it has one), on others
  /// a failure without a message, for its status. A rank that waited in vain gets its own failure.
  virtual Failure fail(const Failure& own) = 0;
  /// After fail(), and once that was said: returns when it was said on rank 0. Nothing may follow but the end of the
  /// process with this status.
  virtual void leave(int status) = 0;
};

/// The ranks of the job that this process is one of: over MPI, or where EBM_RANK_FOLDER names a folder without it
/// (parallel/socket_ranks.h). MPI is in a library of its own (libebm_mpi.so), which is opened
/// here, so that programs start without MPI. Collectives wait for the other ranks for $EBM_RANK_TIMEOUT seconds (1800).
/// Throws Error where the library cannot be had, or MPI does not see the processes that the launcher started.
std::unique_ptr<JobRanks> open_job(const Launcher& launcher);

}  // namespace ebm
