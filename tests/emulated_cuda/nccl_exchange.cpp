// SPDX-License-Identifier: MIT
#include "nccl_exchange.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "emulated.h"

namespace ebm::emulated {

Exchange::Exchange(const std::string& name, int size, int rank) : size_(size), rank_(rank) {
  if (sizeof(Rank) * static_cast<uint64_t>(size) > table_bytes) violation("ncclCommInitRank: too many ranks");
  const int file = shm_open(name.c_str(), O_CREAT | O_RDWR, 0600);
  if (file < 0 || ftruncate(file, static_cast<off_t>(memory_bytes())) != 0)
    violation("ncclCommInitRank: no shared memory %s", name.c_str());
  void* const memory =
      mmap(nullptr, memory_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
  close(file);
  if (memory == MAP_FAILED) violation("ncclCommInitRank: no addresses left");
  memory_ = static_cast<char*>(memory);
  ranks()[rank].process = getpid();
  if (ranks()[rank].here.exchange(1) != 0)
    violation("ncclCommInitRank: two ranks %d of one communicator", rank);
  const auto start = std::chrono::steady_clock::now();
  for (int other = 0; other < size; ++other) {
    while (ranks()[other].here == 0) {
      if (std::chrono::steady_clock::now() - start > std::chrono::seconds(60))
        violation("ncclCommInitRank: rank %d does not come", other);
      sched_yield();
    }
  }
  shm_unlink(name.c_str());  // all have it; the first of them succeeds
}

Exchange::~Exchange() {
  leave();
  munmap(memory_, memory_bytes());
}

void Exchange::bring(uint64_t number, const Request& request) {
  Rank& own = ranks()[rank_];
  own.requests[number % 2] = request;
  own.brought.store(number);
}

bool Exchange::all_brought(uint64_t number) const {
  for (int rank = 0; rank < size_; ++rank)
    if (ranks()[rank].brought.load() < number) return false;
  return true;
}

bool Exchange::any_brought(uint64_t number) const {
  for (int rank = 0; rank < size_; ++rank)
    if (ranks()[rank].brought.load() >= number) return true;
  return false;
}

void Exchange::leave() {
  ranks()[rank_].here = 2;
}

bool Exchange::others_are_gone() const {
  for (int rank = 0; rank < size_; ++rank) {
    if (rank == rank_) continue;
    const Rank& other = ranks()[rank];
    if (other.here == 2 || (kill(other.process, 0) != 0 && errno == ESRCH)) return true;
  }
  return false;
}

}  // namespace ebm::emulated
