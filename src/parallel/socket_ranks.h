// SPDX-License-Identifier: MIT
// The ranks of a job without MPI. The first one listens and writes where into a file of a folder that all see; each other
// one reads the file and connects. Everything goes through the first one: enough for what GPUs' hosts have to say to each
// other, slow for the sums of a training on CPUs.
#pragma once

#include <memory>
#include <string>

#include "parallel/job.h"

namespace ebm {

/// The job's ranks, which meet in `folder`, by a file of the job's name; each waits for the others for so many seconds. A
/// file that an earlier job left does no harm: where it points nobody of this job answers, and the first one replaces
/// it. Two jobs of one name need a folder each. Throws Error, on all ranks that have met where one does.
std::unique_ptr<JobRanks> meet_in_folder(const Launcher& launcher, const std::string& folder,
                                         const std::string& job, double seconds);

}  // namespace ebm
