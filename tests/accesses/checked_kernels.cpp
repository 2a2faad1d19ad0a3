// SPDX-License-Identifier: MIT
#include "checked_kernels.h"

#include <sys/mman.h>

#include <map>

#include "core/type_name.h"
#include "support/launch_order.h"

namespace ebm::test {

namespace {

constexpr int64_t arena_bytes = int64_t{1} << 25;
constexpr int64_t alignment = 64;

}  // namespace

CheckedBase::CheckedBase()
    : cpu_(open_kernels("cpu")),
      memory_(mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0)),
      log_(memory_, arena_bytes) {
  if (memory_ == MAP_FAILED) throw Error("no memory for checked kernels");
}

CheckedBase::~CheckedBase() {
  munmap(memory_, arena_bytes);
}

void* CheckedBase::do_allocate(int64_t bytes) {
  const int64_t taken = (bytes / alignment + 1) * alignment;  // a gap behind each
  if (taken > arena_bytes - used_) throw Error("checked kernels are out of memory; use a smaller network");
  used_ += taken;
  return static_cast<char*>(memory_) + used_ - taken;
}

void CheckedBase::compare(const char* mangled, const std::vector<ArrayUse>& declared) {
  const std::string name = short_type_name(mangled);
  names_.insert(name);
  AddressSet may_read, may_write, read, written;
  for (const ArrayUse& use : declared) {
    if (use.reads()) may_read.add(use.begin, use.end());
    if (use.writes()) may_write.add(use.begin, use.end());
  }
  for (const AccessLog::Touched& at : log_.touched()) {
    const uintptr_t end = at.address + AccessLog::word;
    if (at.read) read.add(at.address, end);
    if (at.written) written.add(at.address, end);
    if (at.read && !may_read.meets(at.address, end)) lies_.insert(name + " reads what it does not tell");
    if (at.written && !may_write.meets(at.address, end)) lies_.insert(name + " writes what it does not tell");
  }
  for (size_t i = 0; i < declared.size(); ++i) {
    const ArrayUse& use = declared[i];
    const std::string array = name + ", array " + std::to_string(i) + ": ";
    if (use.bytes_written() > 0 && !written.contains(use.begin, use.end()))
      lies_.insert(array + "not all of it is written");
    if (use.bytes_read() > 0 && !read.meets(use.begin, use.end())) lies_.insert(array + "none of it is read");
  }
}

}  // namespace ebm::test
