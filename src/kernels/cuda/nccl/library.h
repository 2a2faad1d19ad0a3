// SPDX-License-Identifier: MIT
// NCCL's functions, from a library that is opened at run time. Its declarations are written down here, as far as they are
// wanted (NVIDIA/nccl, src/nccl.h.in: the same in every NCCL 2), so that a build needs no nccl.h; where there is one,
// tests/emulated_cuda/nccl_operation.cpp compares.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

namespace ebm::cuda {

struct NcclCommunicator;  // NCCL's own
struct NcclUniqueId {
  char bytes[128];
};
enum NcclResult : int {
  nccl_success = 0,
  nccl_invalid_argument = 4,
  nccl_invalid_usage = 5,
  nccl_remote_error = 6,
  nccl_in_progress = 7
};
enum NcclType : int { nccl_uint8 = 1, nccl_float32 = 7, nccl_bfloat16 = 9 };
enum NcclOperation : int { nccl_sum = 0 };

/// The functions that this project calls.
struct Nccl {
  NcclResult (*get_version)(int* version);
  NcclResult (*get_unique_id)(NcclUniqueId* id);
  NcclResult (*comm_init_rank)(NcclCommunicator** communicator, int size, NcclUniqueId id, int rank);
  NcclResult (*comm_destroy)(NcclCommunicator* communicator);
  NcclResult (*comm_abort)(NcclCommunicator* communicator);
  NcclResult (*comm_get_async_error)(NcclCommunicator* communicator, NcclResult* error);
  const char* (*get_error_string)(NcclResult result);
  const char* (*get_last_error)(NcclCommunicator* communicator);
  NcclResult (*all_reduce)(const void* from, void* to, size_t count, NcclType type, NcclOperation operation,
                           NcclCommunicator* communicator, cudaStream_t stream);
  NcclResult (*reduce_scatter)(const void* from, void* to, size_t count_of_rank, NcclType type,
                               NcclOperation operation, NcclCommunicator* communicator, cudaStream_t stream);
  NcclResult (*all_gather)(const void* from, void* to, size_t count_of_rank, NcclType type,
                           NcclCommunicator* communicator, cudaStream_t stream);
  NcclResult (*broadcast)(const void* from, void* to, size_t count, NcclType type, int root,
                          NcclCommunicator* communicator, cudaStream_t stream);
  NcclResult (*send)(const void* from, size_t count, NcclType type, int peer, NcclCommunicator* communicator,
                     cudaStream_t stream);
  NcclResult (*receive)(void* to, size_t count, NcclType type, int peer, NcclCommunicator* communicator,
                        cudaStream_t stream);
  NcclResult (*group_start)();
  NcclResult (*group_end)();

  /// Throws Error with NCCL's reason unless `result` is success. `call` is what was called, and for what.
  void check(NcclResult result, const char* call) const;
};

/// NCCL from a file that the loader or library_search finds; it stays open. Throws Error, which says why not and what to
/// do, also for one that is too old.
Nccl open_nccl(const std::string& file);

/// The NCCL of this library: libnccl.so.2, or what the emulation puts in its place.
Nccl default_nccl();

}  // namespace ebm::cuda
