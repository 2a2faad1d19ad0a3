// SPDX-License-Identifier: MIT
// A program on several processes (src/parallel): one job that speaks with one voice.
#pragma once

#include <functional>
#include <string>

#include "parallel/communicator.h"

namespace ebm {

/// run_program (io/program.h) of a body that may run on several processes, which mpirun or srun started: it is given the
/// ranks, null where the process is alone. Rank 0 alone prints. A failure of any rank ends all processes, from in
/// here, with one line on stderr and one status; when the body has ended, each waits for the others.
int run_job(const char* program, const std::function<int(HostRanks*)>& body);

/// Throws Error unless `text`, this rank's options say, is that of rank 0.
void require_same(Communicator& ranks, const std::string& text);

}  // namespace ebm
