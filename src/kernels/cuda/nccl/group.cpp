// SPDX-License-Identifier: MIT
#include "kernels/cuda/nccl/group.h"

#include <atomic>
#include <exception>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/waiting.h"

namespace ebm::cuda {

namespace {

/// ncclCommInitRank, which waits for the other ranks and can not be told to end.
struct Start {
  std::atomic<bool> done = false;
  cudaError_t device_status = cudaSuccess;
  NcclResult result = nccl_success;
  NcclCommunicator* communicator = nullptr;
};

std::shared_ptr<Start> start(const Nccl& nccl, const NcclUniqueId& id, const RankGroup& group, int device) {
  auto start = std::make_shared<Start>();
  const auto size = static_cast<int>(group.size()), own = static_cast<int>(group.own);
  std::thread([start, nccl, id, size, own, device] {
    start->device_status = cudaSetDevice(device);
    if (start->device_status == cudaSuccess)
      start->result = nccl.comm_init_rank(&start->communicator, size, id, own);
    start->done = true;
  }).detach();  // where it never ends, the process does
  return start;
}

/// Each rank's own, of which a group takes its first rank's.
NcclUniqueId share_id(const Nccl& nccl, HostRanks& hosts, int64_t first) {
  std::vector<NcclUniqueId> ids(static_cast<size_t>(hosts.size()));
  nccl.check(nccl.get_unique_id(&ids[static_cast<size_t>(hosts.rank())]), "ncclGetUniqueId");
  hosts.all_gather(ids.data(), sizeof(NcclUniqueId));
  return ids[static_cast<size_t>(first)];
}

}  // namespace

NcclGroup::NcclGroup(const Nccl& nccl, HostRanks& hosts, RankGroup group, int device)
    : nccl_(nccl),
      group_(std::move(group)),
      device_(device),
      exceptions_(std::uncaught_exceptions()),
      abort_ended_(std::make_shared<std::atomic<bool>>(true)) {
  const std::shared_ptr<Start> started =
      start(nccl, share_id(nccl, hosts, group_.ranks.front()), group_, device);
  Waiting waiting;
  while (!started->done) {
    waiting.rest();
    if (!waiting.is_time_to_look()) continue;
    hosts.listen();
    if (waiting.seconds() > hosts.time_limit()) throw no_answer(hosts.time_limit(), "the start of NCCL");
  }
  if (started->device_status != cudaSuccess)
    throw Error(std::string("cudaSetDevice failed: ") + cudaGetErrorString(started->device_status));
  nccl.check(started->result, "ncclCommInitRank");
  communicator_ = started->communicator;
}

NcclGroup::~NcclGroup() {
  if (std::uncaught_exceptions() > exceptions_) give_up();
  if (communicator_ != nullptr) nccl_.comm_destroy(communicator_);
  // Graphs should be gone by now: an abort that can end does so while there is a GPU to end it on.
  constexpr double long_enough = 2;
  for (const Waiting waiting; !*abort_ended_ && waiting.seconds() < long_enough;) waiting.rest();
}

NcclCommunicator* NcclGroup::get() const {
  if (communicator_ == nullptr)
    throw Error("this process no longer works with the others, of which one failed");
  return communicator_;
}

std::string NcclGroup::trouble() const {
  NcclResult error = nccl_success;
  if (communicator_ == nullptr) return "";
  const NcclResult result = nccl_.comm_get_async_error(communicator_, &error);
  if (result != nccl_success) error = result;
  if (error == nccl_success || error == nccl_in_progress) return "";
  return std::string("NCCL: ") + nccl_.get_error_string(error) + " (" + nccl_.get_last_error(communicator_) +
         "): another process or the network to it failed; NCCL_DEBUG=INFO tells more";
}

void NcclGroup::give_up() noexcept {
  if (communicator_ == nullptr) return;
  const auto abort = [abort = nccl_.comm_abort, communicator = std::exchange(communicator_, nullptr),
                      device = device_, ended = abort_ended_] {
    cudaSetDevice(device);
    abort(communicator);
    *ended = true;
  };
  *abort_ended_ = false;
  try {
    std::thread(abort).detach();  // where it never ends, the process does
  } catch (const std::system_error&) {
    abort();
  }
}

}  // namespace ebm::cuda
