// SPDX-License-Identifier: MIT
// NCCL: the checks of its manual, and plain sums in the order of the ranks, rounded after each rank's number as NCCL's own
// are at each hop. An operation is ready when all ranks have come to their operation of the same number; they must then
// ask for the same. Two operations of a communicator that no stream or graph puts in order end the program: NCCL would
// take them in any. A communicator ends only when no graph holds an operation of it and the device has no work: who owns
// the graph, or another communicator that holds up the device, must not wait for that.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "graph.h"
#include "kernels/cuda/nccl/library.h"
#include "nccl_operation.h"

using namespace ebm::emulated;
using namespace ebm::cuda;

/// One rank of a communicator. A thread of its own runs the device's work when another rank waits for this one, whatever
/// this one's host does.
struct ebm::cuda::NcclCommunicator {
  NcclCommunicator(const char* name, int size, int rank) : exchange(name, size, rank) {}

  Exchange exchange;
  int device = 0;
  uint64_t done = 0;     // operations of this rank
  uint64_t brought = 0;  // done, or done + 1: the next one waits for others
  bool aborted = false;
  uint64_t queued = 0, run = 0;    // of those that were not recorded
  std::weak_ptr<Capture> capture;  // of the last recorded one
  size_t node = 0;
  std::shared_ptr<const int> held = std::make_shared<const int>(0);    // by each recorded operation of it
  std::vector<std::pair<std::weak_ptr<Capture>, int64_t>> recordings;  // with how many, until nobody has them
  std::atomic<bool> ended = false;
  std::thread runner;
};

namespace {

using Communicator = std::shared_ptr<NcclCommunicator>;

std::map<NcclCommunicator*, Communicator>& communicators() {
  static std::map<NcclCommunicator*, Communicator> all;
  return all;
}

NcclResult refuse(NcclResult result, const char* call, const char* why) {
  std::fprintf(stderr, "emulated CUDA refuses %s: %s\n", call, why);
  return result;
}

struct Group {
  int depth = 0;
  RankOperation operation;
  NcclCommunicator* communicator = nullptr;
  cudaStream_t stream = nullptr;
};
Group& group() {
  static thread_local Group of_thread;
  return of_thread;
}

bool is_ready(NcclCommunicator& communicator, const RankOperation& operation) {
  if (communicator.aborted) return true;
  const uint64_t number = communicator.done + 1;
  if (communicator.brought < number) {
    bring(communicator.exchange, number, operation);
    communicator.brought = number;
  }
  return communicator.exchange.all_brought(number);
}

// --- how it is asked for

/// The operation waits for the last one of the communicator, or the program ends.
void require_order(NcclCommunicator& communicator, cudaStream_t stream) {
  const std::shared_ptr<Capture> last = communicator.capture.lock();
  if (last == nullptr || last != stream->capture) return;
  if (!is_before(last->graph, communicator.node, stream->last))
    violation("NCCL: a communicator is used from two streams at once: neither operation waits for the other");
}

void note_recorded(NcclCommunicator& communicator, const std::shared_ptr<Capture>& capture) {
  auto& all = communicator.recordings;
  std::erase_if(all, [](const auto& recording) { return recording.first.expired(); });
  if (all.empty() || all.back().first.lock() != capture) all.emplace_back(capture, 0);
  ++all.back().second;
}

/// Whether a graph, or what a launch of one has queued, holds an operation. A recording that has ended does not, though
/// an event may keep it.
bool is_held(const NcclCommunicator& communicator) {
  int64_t holders = communicator.held.use_count() - 1;
  for (const auto& [capture, count] : communicator.recordings)
    if (!capture.expired()) holders -= count;
  return holders > 0;
}

NcclResult enqueue(NcclCommunicator* handle, cudaStream_t stream, RankOperation operation) {
  NcclCommunicator& communicator = *handle;
  const Communicator kept = communicators().at(handle);
  const auto ready = [kept, operation] { return is_ready(*kept, operation); };
  const auto run = [kept, operation] {
    if (kept->aborted) return;
    finish(kept->exchange, ++kept->done, operation);
  };
  if (stream->capture != nullptr) {
    require_order(communicator, stream);
    communicator.node = stream->capture->graph.nodes.size();
    communicator.capture = stream->capture;
    note_recorded(communicator, stream->capture);
    const auto run_recorded = [run, held = communicator.held] { run(); };
    queue(stream, run_recorded, {.type = cudaGraphNodeTypeKernel}, ready);
    return nccl_success;
  }
  const uint64_t place = communicator.queued++;
  const auto in_order = [kept, place] {
    if (kept->run != place)
      violation(
          "NCCL: a communicator is used from two streams at once: operation %zu runs before operation %zu",
          static_cast<size_t>(place), static_cast<size_t>(kept->run));
  };
  const auto ready_in_order = [in_order, ready] {
    in_order();
    return ready();
  };
  const auto run_in_order = [kept, run] {
    run();
    ++kept->run;
  };
  queue(stream, run_in_order, {.type = cudaGraphNodeTypeKernel}, ready_in_order);
  return nccl_success;
}

/// nccl_success, or what is wrong with an operation's arguments.
NcclResult check_call(const char* call, NcclCommunicator* communicator, cudaStream_t stream, int type) {
  if (!communicators().contains(communicator))
    return refuse(nccl_invalid_argument, call, "there is no such communicator, or it was aborted");
  if (type != nccl_uint8 && type != nccl_float32 && type != nccl_bfloat16)
    return refuse(nccl_invalid_argument, call, "this type is not emulated");
  if (require_stream(stream, call) != cudaSuccess) return nccl_invalid_argument;
  if (device_of(stream) != communicator->device || current_device() != communicator->device)
    return refuse(nccl_invalid_usage, call,
                  "the stream or the thread has another device than the communicator");
  return nccl_success;
}

NcclResult check_array(const char* call, const void* array, uint64_t bytes) {
  if (bytes == 0) return refuse(nccl_invalid_argument, call, "nothing is sent");
  if (array == nullptr) return refuse(nccl_invalid_argument, call, "an array is null");
  if (bytes > Exchange::most_bytes) violation("%s: %zu bytes are more than is emulated", call, bytes);
  if (!inside_allocation(array, bytes))
    violation("%s: %zu bytes at %p are not inside one allocation of device memory", call, bytes, array);
  return nccl_success;
}

struct Arrays {
  const void* from;
  uint64_t from_count;
  void* to;
  uint64_t to_count;
  uint64_t place;  // of `from` in `to`, where it lies there
};

NcclResult collective(const char* call, NcclCommunicator* communicator, cudaStream_t stream,
                      const Request& request, const Arrays& arrays) {
  const Lock lock(device_mutex());
  if (const NcclResult result = check_call(call, communicator, stream, request.type); result != nccl_success)
    return result;
  if (group().depth > 0) return refuse(nccl_invalid_usage, call, "collectives in a group are not emulated");
  if (request.operation != nccl_sum) return refuse(nccl_invalid_argument, call, "only sums are emulated");
  if (request.root < 0 || request.root >= communicator->exchange.size())
    return refuse(nccl_invalid_argument, call, "there is no such root");
  const uint64_t from_bytes = arrays.from_count * size_of(request.type),
                 to_bytes = arrays.to_count * size_of(request.type);
  for (const auto& [array, bytes] :
       {std::pair(arrays.from, from_bytes), std::pair<const void*, uint64_t>(arrays.to, to_bytes)})
    if (const NcclResult result = check_array(call, array, bytes); result != nccl_success) return result;
  const auto *from = static_cast<const char*>(arrays.from), *to = static_cast<const char*>(arrays.to);
  const bool in_place =
      from + arrays.place * size_of(request.type) == to || from == to + arrays.place * size_of(request.type);
  if (!in_place && from < to + to_bytes && to < from + from_bytes)
    violation("%s: its arrays overlap, but it is not in place", call);
  return enqueue(communicator, stream,
                 {.request = request, .from = arrays.from, .from_bytes = from_bytes, .to = arrays.to});
}

/// Of a communicator that there is; else what a check finds wrong later.
std::pair<uint64_t, uint64_t> size_and_rank(NcclCommunicator* communicator) {
  const Lock lock(device_mutex());
  if (!communicators().contains(communicator)) return {1, 0};
  const Exchange& exchange = communicator->exchange;
  return {static_cast<uint64_t>(exchange.size()), static_cast<uint64_t>(exchange.rank())};
}

void run_for_others(NcclCommunicator* communicator) {
  while (!communicator->ended) {
    {
      const Lock lock(device_mutex());
      if (communicator->exchange.any_brought(communicator->done + 1)) advance_streams(communicator->device);
    }
    usleep(50);
  }
}

// --- the functions

NcclResult get_version(int* version) {
  *version = 22809;
  return nccl_success;
}

NcclResult get_unique_id(NcclUniqueId* id) {
  static std::atomic<int> made = 0;
  if (id == nullptr) return refuse(nccl_invalid_argument, "ncclGetUniqueId", "there is no place for it");
  *id = {};
  std::snprintf(id->bytes, sizeof id->bytes, "/ebm-emulated-nccl-%d-%d", static_cast<int>(getpid()), made++);
  return nccl_success;
}

NcclResult comm_init_rank(NcclCommunicator** communicator, int size, NcclUniqueId id, int rank) {
  constexpr const char* call = "ncclCommInitRank";
  if (communicator == nullptr) return refuse(nccl_invalid_argument, call, "there is no place for it");
  if (size < 1 || rank < 0 || rank >= size)
    return refuse(nccl_invalid_argument, call, "there is no such rank");
  if (std::memchr(id.bytes, '\0', sizeof id.bytes) == nullptr || id.bytes[0] != '/')
    return refuse(nccl_invalid_argument, call, "the unique id is none");
  if (refuse_in_capture(call) != cudaSuccess) return nccl_invalid_usage;
  auto made = std::make_shared<NcclCommunicator>(id.bytes, size, rank);
  made->device = current_device();
  if (size > 1) made->runner = std::thread(run_for_others, made.get());
  const Lock lock(device_mutex());
  *communicator = made.get();
  communicators()[made.get()] = std::move(made);
  return nccl_success;
}

/// From now on there is no such communicator; null: there was none.
Communicator take_away(NcclCommunicator* communicator) {
  const Lock lock(device_mutex());
  const auto found = communicators().find(communicator);
  if (found == communicators().end()) return nullptr;
  const Communicator taken = found->second;
  communicators().erase(found);
  return taken;
}

void end_runner(NcclCommunicator& communicator) {
  communicator.ended = true;
  if (communicator.runner.joinable()) communicator.runner.join();
}

NcclResult comm_destroy(NcclCommunicator* communicator) {
  const Communicator taken = take_away(communicator);
  if (taken == nullptr)
    return refuse(nccl_invalid_argument, "ncclCommDestroy", "there is no such communicator");
  // It ends what is under way, here for others that are still behind.
  await("ncclCommDestroy", [&] { return advance_streams(taken->device); });
  if (is_held(*taken))
    violation("ncclCommDestroy waits for ever: a graph holds operations of the communicator");
  end_runner(*taken);
  return nccl_success;
}

NcclResult comm_abort(NcclCommunicator* communicator) {
  const Communicator taken = take_away(communicator);
  if (taken == nullptr)
    return refuse(nccl_invalid_argument, "ncclCommAbort", "there is no such communicator");
  {
    const Lock lock(device_mutex());
    taken->aborted = true;
    taken->exchange.leave();
  }
  end_runner(*taken);
  const auto has_ended = [&taken] {
    const Lock lock(device_mutex());
    return advance_streams(taken->device) && !is_held(*taken);
  };
  using Clock = std::chrono::steady_clock;
  for (const Clock::time_point start = Clock::now(); !has_ended(); usleep(50)) {
    if (Clock::now() - start > std::chrono::seconds(60))
      violation(
          "ncclCommAbort waits for a graph that holds operations of the communicator, or for the device");
  }
  return nccl_success;
}

NcclResult comm_get_async_error(NcclCommunicator* communicator, NcclResult* error) {
  const Lock lock(device_mutex());
  if (!communicators().contains(communicator) || error == nullptr)
    return refuse(nccl_invalid_argument, "ncclCommGetAsyncError",
                  "no communicator, or no place for the error");
  // Of what waits: a rank that is done and has left is no error.
  const bool waits = communicator->brought > communicator->done;
  *error = waits && !communicator->exchange.all_brought(communicator->brought) &&
                   communicator->exchange.others_are_gone()
               ? nccl_remote_error
               : nccl_success;
  return nccl_success;
}

const char* get_error_string(NcclResult result) {
  return result == nccl_success            ? "no error"
         : result == nccl_invalid_argument ? "invalid argument"
         : result == nccl_invalid_usage    ? "invalid usage"
         : result == nccl_remote_error     ? "remote process exited or there was a network error"
                                           : "an error that is not emulated";
}

const char* get_last_error(NcclCommunicator*) {
  return "emulated";
}

NcclResult all_reduce(const void* from, void* to, size_t count, NcclType type, NcclOperation operation,
                      NcclCommunicator* communicator, cudaStream_t stream) {
  return collective("ncclAllReduce", communicator, stream,
                    {.kind = Request::Kind::all_reduce, .type = type, .operation = operation, .count = count},
                    {from, count, to, count, 0});
}

NcclResult reduce_scatter(const void* from, void* to, size_t count, NcclType type, NcclOperation operation,
                          NcclCommunicator* communicator, cudaStream_t stream) {
  const auto [size, rank] = size_and_rank(communicator);
  return collective(
      "ncclReduceScatter", communicator, stream,
      {.kind = Request::Kind::reduce_scatter, .type = type, .operation = operation, .count = count},
      {from, count * size, to, count, count * rank});
}

NcclResult all_gather(const void* from, void* to, size_t count, NcclType type, NcclCommunicator* communicator,
                      cudaStream_t stream) {
  const auto [size, rank] = size_and_rank(communicator);
  return collective("ncclAllGather", communicator, stream,
                    {.kind = Request::Kind::all_gather, .type = type, .count = count},
                    {from, count, to, count * size, count * rank});
}

NcclResult broadcast(const void* from, void* to, size_t count, NcclType type, int root,
                     NcclCommunicator* communicator, cudaStream_t stream) {
  return collective("ncclBroadcast", communicator, stream,
                    {.kind = Request::Kind::broadcast, .type = type, .root = root, .count = count},
                    {from, count, to, count, 0});
}

/// Adds a message to the group of this thread.
NcclResult add_message(const char* call, const void* array, size_t count, NcclType type, int peer,
                       NcclCommunicator* communicator, cudaStream_t stream) {
  const Lock lock(device_mutex());
  if (const NcclResult result = check_call(call, communicator, stream, type); result != nccl_success)
    return result;
  if (const NcclResult result = check_array(call, array, count * size_of(type)); result != nccl_success)
    return result;
  if (peer < 0 || peer >= communicator->exchange.size())
    return refuse(nccl_invalid_argument, call, "there is no such peer");
  Group& open = group();
  if (open.depth == 0)
    return refuse(nccl_invalid_usage, call, "a message outside of a group is not emulated");
  if (open.communicator != nullptr && (open.communicator != communicator || open.stream != stream))
    return refuse(nccl_invalid_usage, call, "a group of two communicators or streams is not emulated");
  open.communicator = communicator;
  open.stream = stream;
  return nccl_success;
}

NcclResult send(const void* from, size_t count, NcclType type, int peer, NcclCommunicator* communicator,
                cudaStream_t stream) {
  if (const NcclResult result = add_message("ncclSend", from, count, type, peer, communicator, stream);
      result != nccl_success)
    return result;
  RankOperation& open = group().operation;
  if (open.request.sends == Request::most_messages) violation("ncclSend: too many messages in a group");
  open.request.sent[open.request.sends++] = {peer, type, count * size_of(type)};
  open.sent.push_back(from);
  return nccl_success;
}

NcclResult receive_from(void* to, size_t count, NcclType type, int peer, NcclCommunicator* communicator,
                        cudaStream_t stream) {
  if (const NcclResult result = add_message("ncclRecv", to, count, type, peer, communicator, stream);
      result != nccl_success)
    return result;
  RankOperation& open = group().operation;
  if (open.request.receives == Request::most_messages) violation("ncclRecv: too many messages in a group");
  open.request.received[open.request.receives++] = {peer, type, count * size_of(type)};
  open.received.push_back(to);
  return nccl_success;
}

NcclResult group_start() {
  if (group().depth++ == 0) group().operation = {.request = {.kind = Request::Kind::messages}};
  return nccl_success;
}

NcclResult group_end() {
  Group& open = group();
  if (open.depth == 0) return refuse(nccl_invalid_usage, "ncclGroupEnd", "no group was started");
  if (--open.depth > 0) return nccl_success;
  const Lock lock(device_mutex());
  NcclCommunicator* const communicator = std::exchange(open.communicator, nullptr);
  if (communicator == nullptr) return nccl_success;
  return enqueue(communicator, open.stream, std::move(open.operation));
}

}  // namespace

Nccl ebm::cuda::default_nccl() {
  return {.get_version = get_version,
          .get_unique_id = get_unique_id,
          .comm_init_rank = comm_init_rank,
          .comm_destroy = comm_destroy,
          .comm_abort = comm_abort,
          .comm_get_async_error = comm_get_async_error,
          .get_error_string = get_error_string,
          .get_last_error = get_last_error,
          .all_reduce = all_reduce,
          .reduce_scatter = reduce_scatter,
          .all_gather = all_gather,
          .broadcast = broadcast,
          .send = send,
          .receive = receive_from,
          .group_start = group_start,
          .group_end = group_end};
}
