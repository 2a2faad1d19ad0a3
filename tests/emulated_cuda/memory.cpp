// SPDX-License-Identifier: MIT
// Device memory: a range of this process's addresses that faults unless queued work runs.
//
// Behind each allocation lies a red zone, which check_red_zones() inspects; AddressSanitizer, where it is on,
// knows the allocations' exact ends and catches reads as well.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "emulated.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace ebm::emulated {

namespace {

constexpr size_t alignment = 256;  // what cudaMalloc promises
constexpr size_t red_zone = 256;   // after each allocation
constexpr unsigned char red = 0xA5;
constexpr size_t max_filled = size_t{1} << 20;  // of a new allocation, so that large ones stay cheap

constexpr size_t huge_page = size_t{2} << 20;

constexpr size_t round_up(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

struct Allocation {
  size_t bytes = 0;   // asked for
  size_t extent = 0;  // taken, red zone and alignment included
};

class Arena {
 public:
  /// Never destroyed: the fault handler needs it to the end.
  static Arena& instance() {
    static Arena* const arena = new Arena;
    return *arena;
  }

  void* allocate(size_t bytes) {
    const size_t extent = round_up(bytes + red_zone, alignment);
    const auto hole =
        std::find_if(holes_.begin(), holes_.end(), [&](const auto& h) { return h.second >= extent; });
    char* start = base_ + used_;
    if (hole != holes_.end()) {
      start = hole->first;
      if (hole->second > extent) holes_[start + extent] = hole->second - extent;
      holes_.erase(hole);
    } else {
      if (extent > device_bytes - used_) return nullptr;
      used_ += extent;
    }
    allocations_[start] = {bytes, extent};
    const DeviceAccess access;
    ASAN_UNPOISON_MEMORY_REGION(start, extent);
    std::memset(start, 0xFF, std::min(bytes, max_filled));  // NaN
    std::memset(start + bytes, red, extent - bytes);
    ASAN_POISON_MEMORY_REGION(start + bytes, extent - bytes);
    return start;
  }

  bool deallocate(void* block) {
    const auto found = allocations_.find(static_cast<char*>(block));
    if (found == allocations_.end()) return false;
    const DeviceAccess access;
    check(*found);
    const auto [start, allocation] = *found;
    if (allocation.bytes > max_filled) {
      ASAN_UNPOISON_MEMORY_REGION(start, allocation.extent);
      const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
      const uintptr_t first = round_up(reinterpret_cast<uintptr_t>(start), page);
      const uintptr_t last = reinterpret_cast<uintptr_t>(start + allocation.extent) / page * page;
      madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    } else {
      std::memset(start, 0xFF, allocation.bytes);
    }
    ASAN_POISON_MEMORY_REGION(start, allocation.extent);
    allocations_.erase(found);
    // Neighbouring holes become one.
    auto hole = holes_.emplace(start, allocation.extent).first;
    if (const auto next = std::next(hole);
        next != holes_.end() && hole->first + hole->second == next->first) {
      hole->second += next->second;
      holes_.erase(next);
    }
    if (hole != holes_.begin()) {
      if (const auto before = std::prev(hole); before->first + before->second == hole->first) {
        before->second += hole->second;
        holes_.erase(hole);
      }
    }
    return true;
  }

  bool contains(const void* address) const { return address >= base_ && address < base_ + device_bytes; }

  bool inside_allocation(const char* block, size_t bytes) const {
    auto after = allocations_.upper_bound(const_cast<char*>(block));
    if (after == allocations_.begin()) return false;
    const auto& [start, allocation] = *std::prev(after);
    return block + bytes <= start + allocation.bytes;
  }

  void check_all() {
    const DeviceAccess access;
    for (const auto& entry : allocations_) check(entry);
  }

  void allow() {
    if (users_++ == 0) protect(PROT_READ | PROT_WRITE);
  }
  void forbid() {
    if (--users_ == 0) protect(PROT_NONE);
  }
  bool allowed() const { return users_ > 0; }

 private:
  Arena() {
    // Huge pages, where the system has them, make protect() cheap.
    void* const start = mmap(nullptr, device_bytes + huge_page, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) violation("no addresses left for the device's memory");
    base_ = reinterpret_cast<char*>(round_up(reinterpret_cast<uintptr_t>(start), huge_page));
    madvise(base_, device_bytes, MADV_HUGEPAGE);
    struct sigaction action {};
    action.sa_sigaction = report_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGSEGV, &action, &previous_handler_);
  }

  void protect(int access) {
    if (mprotect(base_, round_up(used_, huge_page), access) != 0 && used_ > 0) violation("mprotect failed");
  }

  static void report_fault(int, siginfo_t* info, void*) {
    Arena& arena = instance();
    if (arena.contains(info->si_addr)) {
      char text[160];
      const int length =
          std::snprintf(text, sizeof text, "emulated CUDA: %s device memory at %p\n",
                        arena.allowed() ? "a kernel reached beyond all" : "the host touched", info->si_addr);
      if (length > 0 && write(STDERR_FILENO, text, static_cast<size_t>(length)) < 0) _exit(1);
    }
    sigaction(SIGSEGV, &arena.previous_handler_,
              nullptr);  // the access is tried again, and ends as it would have
  }

  static void check(const std::pair<char* const, Allocation>& entry) {
#ifndef __SANITIZE_ADDRESS__
    const auto& [start, allocation] = entry;
    for (const char* p = start + allocation.bytes; p < start + allocation.extent; ++p) {
      if (static_cast<unsigned char>(*p) != red) {
        violation("somebody wrote to byte %td of an allocation of %zu bytes of device memory", p - start,
                  allocation.bytes);
      }
    }
#else
    (void)entry;
#endif
  }

  char* base_ = nullptr;
  size_t used_ = 0;  // of the addresses; never shrinks
  std::map<char*, Allocation> allocations_;
  std::map<char*, size_t> holes_;
  int users_ = 0;
  struct sigaction previous_handler_ {};
};

std::map<char*, size_t>& pinned_blocks() {
  static std::map<char*, size_t> blocks;
  return blocks;
}

}  // namespace

void violation(const char* format, ...) {
  std::fputs("emulated CUDA: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  std::abort();
}

std::recursive_mutex& device_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

DeviceAccess::DeviceAccess() {
  Arena::instance().allow();
}
DeviceAccess::~DeviceAccess() {
  Arena::instance().forbid();
}

bool touches_device(const void* block, size_t bytes) {
  const Arena& arena = Arena::instance();
  return arena.contains(block) || (bytes > 0 && arena.contains(static_cast<const char*>(block) + bytes - 1));
}

bool inside_allocation(const void* block, size_t bytes) {
  return Arena::instance().inside_allocation(static_cast<const char*>(block), bytes);
}

bool inside_pinned(const void* block, size_t bytes) {
  const auto start = static_cast<char*>(const_cast<void*>(block));
  const auto after = pinned_blocks().upper_bound(start);
  if (after == pinned_blocks().begin()) return false;
  const auto& [pinned, size] = *std::prev(after);
  return start + bytes <= pinned + size;
}

void check_red_zones() {
  Arena::instance().check_all();
}

}  // namespace ebm::emulated

using namespace ebm::emulated;

extern "C" {

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const Lock lock(device_mutex());
  *attributes = {};
  attributes->type = touches_device(pointer, 1)  ? cudaMemoryTypeDevice
                     : inside_pinned(pointer, 1) ? cudaMemoryTypeHost
                                                 : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** block, size_t bytes) {
  const Lock lock(device_mutex());
  if (const cudaError_t status = refuse_in_capture("cudaMalloc"); status != cudaSuccess) return status;
  if (block == nullptr) return cudaErrorInvalidValue;
  *block = bytes > 0 ? Arena::instance().allocate(bytes) : nullptr;
  return bytes > 0 && *block == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFree(void* block) {
  if (const cudaError_t status = refuse_in_capture("cudaFree"); status != cudaSuccess) return status;
  if (block == nullptr) return cudaSuccess;
  run_all_streams("cudaFree");
  const Lock lock(device_mutex());
  if (Arena::instance().deallocate(block)) return cudaSuccess;
  return refuse(cudaErrorInvalidValue, "cudaFree",
                "no cudaMalloc returned this address, or it is freed already");
}

cudaError_t cudaMallocHost(void** block, size_t bytes) {
  const Lock lock(device_mutex());
  if (const cudaError_t status = refuse_in_capture("cudaMallocHost"); status != cudaSuccess) return status;
  *block = std::malloc(bytes);
  if (*block == nullptr) return cudaErrorMemoryAllocation;
  pinned_blocks()[static_cast<char*>(*block)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* block) {
  if (const cudaError_t status = refuse_in_capture("cudaFreeHost"); status != cudaSuccess) return status;
  if (block == nullptr) return cudaSuccess;
  run_all_streams("cudaFreeHost");
  const Lock lock(device_mutex());
  if (pinned_blocks().erase(static_cast<char*>(block)) == 0) {
    return refuse(cudaErrorInvalidValue, "cudaFreeHost",
                  "no cudaMallocHost returned this address, or it is freed already");
  }
  std::free(block);
  return cudaSuccess;
}

}  // extern "C"
