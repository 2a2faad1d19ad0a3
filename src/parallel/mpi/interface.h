// SPDX-License-Identifier: MIT
// The door between a program and its MPI library (libebm_mpi.so).
#pragma once

#include <cstddef>

#include "parallel/job.h"

namespace ebm::mpi {

/// The library's one symbol, extern "C". Starts MPI, or returns null with the reason in `message`. Both sides hand over
/// their interface_version; the library refuses another one. `seconds`: how long a call waits for the other ranks.
using OpenFunction = JobRanks*(const char* interface_version, double seconds, char* message, size_t capacity);
inline constexpr const char* entry_point = "ebm_open_mpi";

/// Raise it when a virtual function of Communicator, HostRanks or JobRanks changes.
inline constexpr const char* interface_version = "3";

}  // namespace ebm::mpi
