// SPDX-License-Identifier: MIT
#include "nccl_operation.h"

#include <cstring>
#include <map>

#include "emulated.h"
#include "kernels/cuda/nccl/library.h"

#if __has_include(<nccl.h>)
#include <nccl.h>
static_assert(sizeof(ncclUniqueId) == sizeof(ebm::cuda::NcclUniqueId));
static_assert(int{ncclSuccess} == 0 && int{ncclInvalidArgument} == ebm::cuda::nccl_invalid_argument &&
              int{ncclInvalidUsage} == ebm::cuda::nccl_invalid_usage &&
              int{ncclRemoteError} == ebm::cuda::nccl_remote_error &&
              int{ncclInProgress} == ebm::cuda::nccl_in_progress);
static_assert(int{ncclUint8} == ebm::cuda::nccl_uint8 && int{ncclFloat32} == ebm::cuda::nccl_float32 &&
              int{ncclBfloat16} == ebm::cuda::nccl_bfloat16 && int{ncclSum} == ebm::cuda::nccl_sum);
#endif

namespace ebm::emulated {

namespace {

float number_at(const char* bytes, int type, uint64_t i) {
  if (type == cuda::nccl_bfloat16) {
    uint16_t bits;
    std::memcpy(&bits, bytes + 2 * i, sizeof bits);
    return from_bfloat16(bits);
  }
  float number;
  std::memcpy(&number, bytes + 4 * i, sizeof number);
  return number;
}

void put(char* bytes, int type, uint64_t i, float number) {
  if (type != cuda::nccl_bfloat16) {
    std::memcpy(bytes + 4 * i, &number, sizeof number);
    return;
  }
  const uint16_t bits = to_bfloat16(number);
  std::memcpy(bytes + 2 * i, &bits, sizeof bits);
}

/// to = the sum over the ranks of `count` numbers, of each rank's from `first` on.
void sum(Exchange& exchange, uint64_t number, int type, uint64_t first, uint64_t count, char* to) {
  for (uint64_t i = 0; i < count; ++i) {
    for (int rank = 0; rank < exchange.size(); ++rank) {
      const float own = number_at(exchange.bytes(rank, number), type, first + i);
      put(to, type, i, rank == 0 ? own : number_at(to, type, i) + own);
    }
  }
}

/// What rank `peer` sends to this one as its message number `which` of those; its bytes.
const char* message(Exchange& exchange, uint64_t number, int peer, int which, const Message& wanted) {
  const Request& theirs = exchange.request(peer, number);
  const char* block = exchange.bytes(peer, number);
  for (int i = 0; i < theirs.sends; ++i) {
    const Message& sent = theirs.sent[i];
    if (sent.peer == exchange.rank() && which-- == 0) {
      if (sent.bytes != wanted.bytes || sent.type != wanted.type)
        violation("ncclRecv of %zu bytes from rank %d, which sends %zu, or another type", wanted.bytes, peer,
                  sent.bytes);
      return block;
    }
    block += sent.bytes;
  }
  violation("ncclRecv from rank %d, which sends nothing", peer);
}

void receive(Exchange& exchange, uint64_t number, const RankOperation& operation) {
  std::map<int, int> taken;
  for (size_t i = 0; i < operation.received.size(); ++i) {
    Message wanted = operation.request.received[i];
    const int peer = wanted.peer;
    std::memcpy(operation.received[i], message(exchange, number, peer, taken[peer]++, wanted), wanted.bytes);
  }
}

}  // namespace

size_t size_of(int type) {
  return type == cuda::nccl_uint8 ? 1 : type == cuda::nccl_bfloat16 ? 2 : 4;
}

void bring(Exchange& exchange, uint64_t number, const RankOperation& operation) {
  const DeviceAccess access;
  char* block = exchange.own_block(number);
  if (operation.from != nullptr) std::memcpy(block, operation.from, operation.from_bytes);
  for (size_t i = 0; i < operation.sent.size(); ++i) {
    std::memcpy(block, operation.sent[i], operation.request.sent[i].bytes);
    block += operation.request.sent[i].bytes;
  }
  exchange.bring(number, operation.request);
}

void finish(Exchange& exchange, uint64_t number, const RankOperation& operation) {
  const Request& own = operation.request;
  for (int rank = 0; rank < exchange.size(); ++rank) {
    if (!own.agrees(exchange.request(rank, number)))
      violation(
          "NCCL's operation %zu of ranks %d and %d differs: in what it is, its type, its count or its root",
          static_cast<size_t>(number), exchange.rank(), rank);
  }
  auto* const to = static_cast<char*>(operation.to);
  const uint64_t bytes = own.count * size_of(own.type);
  if (own.kind == Request::Kind::all_reduce) sum(exchange, number, own.type, 0, own.count, to);
  if (own.kind == Request::Kind::reduce_scatter)
    sum(exchange, number, own.type, own.count * static_cast<uint64_t>(exchange.rank()), own.count, to);
  if (own.kind == Request::Kind::broadcast) std::memcpy(to, exchange.bytes(own.root, number), bytes);
  if (own.kind == Request::Kind::all_gather) {
    for (int rank = 0; rank < exchange.size(); ++rank)
      std::memcpy(to + bytes * static_cast<uint64_t>(rank), exchange.bytes(rank, number), bytes);
  }
  if (own.kind == Request::Kind::messages) receive(exchange, number, operation);
}

}  // namespace ebm::emulated
