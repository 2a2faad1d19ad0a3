// SPDX-License-Identifier: MIT
#include "kernels/cuda/nccl/library.h"

#include <dlfcn.h>

#include "core/error.h"
#include "kernels/library_search.h"

namespace ebm::cuda {

namespace {

// The first for CUDA 12: recorded collectives, their errors in words.
constexpr int oldest = 21600;

std::string version_text(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

template <class Function>
void find(void* library, const std::string& file, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function == nullptr)
    throw Error(file + " lacks " + name + "; install NCCL " + version_text(oldest) +
                " or later, or use --device cpu");
}

}  // namespace

void Nccl::check(NcclResult result, const char* call) const {
  if (result == nccl_success) return;
  throw Error(std::string(call) + " failed: " + get_error_string(result) + " (" + get_last_error(nullptr) +
              "); NCCL_DEBUG=INFO tells more; --device cpu avoids it");
}

Nccl open_nccl(const std::string& file) {
  const auto [library, reason] = open_library(file);
  if (library == nullptr) throw Error(no_collective_library(reason));
  Nccl nccl{};
  find(library, file, "ncclGetVersion", nccl.get_version);
  find(library, file, "ncclGetUniqueId", nccl.get_unique_id);
  find(library, file, "ncclCommInitRank", nccl.comm_init_rank);
  find(library, file, "ncclCommDestroy", nccl.comm_destroy);
  find(library, file, "ncclCommAbort", nccl.comm_abort);
  find(library, file, "ncclCommGetAsyncError", nccl.comm_get_async_error);
  find(library, file, "ncclGetErrorString", nccl.get_error_string);
  find(library, file, "ncclGetLastError", nccl.get_last_error);
  find(library, file, "ncclAllReduce", nccl.all_reduce);
  find(library, file, "ncclReduceScatter", nccl.reduce_scatter);
  find(library, file, "ncclAllGather", nccl.all_gather);
  find(library, file, "ncclBroadcast", nccl.broadcast);
  find(library, file, "ncclSend", nccl.send);
  find(library, file, "ncclRecv", nccl.receive);
  find(library, file, "ncclGroupStart", nccl.group_start);
  find(library, file, "ncclGroupEnd", nccl.group_end);
  int version = 0;
  nccl.check(nccl.get_version(&version), "ncclGetVersion");
  if (version < oldest)
    throw Error(file + " is NCCL " + version_text(version) + "; install NCCL " + version_text(oldest) +
                " or later, or use --device cpu");
  return nccl;
}

}  // namespace ebm::cuda
