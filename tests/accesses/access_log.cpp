// SPDX-License-Identifier: MIT
#include "access_log.h"

namespace ebm::test {

namespace {

AccessLog*& current() {
  static AccessLog* log = nullptr;
  return log;
}

}  // namespace

AccessLog::AccessLog(void* memory, size_t bytes)
    : begin_(reinterpret_cast<uintptr_t>(memory)), flags_(bytes / word) {
  current() = this;
}

AccessLog::~AccessLog() {
  current() = nullptr;
}

void AccessLog::start() {
  for (const size_t w : touched_) flags_[w] = 0;
  touched_.clear();
  noting_ = true;
}

std::vector<AccessLog::Touched> AccessLog::touched() const {
  std::vector<Touched> all;
  for (const size_t w : touched_)
    all.push_back({begin_ + w * word, (flags_[w] & read) != 0, (flags_[w] & written) != 0});
  return all;
}

template <class Mark>
void AccessLog::note(const void* address, size_t bytes, Mark mark) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  if (!noting_ || bytes == 0 || at < begin_ || at - begin_ >= flags_.size() * word) return;
  for (size_t w = (at - begin_) / word; w <= (at - begin_ + bytes - 1) / word; ++w) {
    if (flags_[w] == 0) touched_.push_back(w);
    mark(flags_[w]);
  }
}

void AccessLog::note_read(const void* address, size_t bytes) {
  if (current() == nullptr) return;
  current()->note(address, bytes, [](uint8_t& flags) {
    if ((flags & written) == 0) flags |= read;
  });
}

void AccessLog::note_write(const void* address, size_t bytes) {
  if (current() == nullptr) return;
  current()->note(address, bytes, [](uint8_t& flags) { flags |= written; });
}

}  // namespace ebm::test

// What g++ -fsanitize=thread calls. What it never calls for formulas is left out: then the link fails.
extern "C" {

using ebm::test::AccessLog;

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

void __tsan_read1(void* p) {
  AccessLog::note_read(p, 1);
}
void __tsan_read2(void* p) {
  AccessLog::note_read(p, 2);
}
void __tsan_read4(void* p) {
  AccessLog::note_read(p, 4);
}
void __tsan_read8(void* p) {
  AccessLog::note_read(p, 8);
}
void __tsan_read16(void* p) {
  AccessLog::note_read(p, 16);
}
void __tsan_unaligned_read2(void* p) {
  AccessLog::note_read(p, 2);
}
void __tsan_unaligned_read4(void* p) {
  AccessLog::note_read(p, 4);
}
void __tsan_unaligned_read8(void* p) {
  AccessLog::note_read(p, 8);
}
void __tsan_unaligned_read16(void* p) {
  AccessLog::note_read(p, 16);
}
void __tsan_read_range(void* p, unsigned long bytes) {
  AccessLog::note_read(p, bytes);
}
void __tsan_write1(void* p) {
  AccessLog::note_write(p, 1);
}
void __tsan_write2(void* p) {
  AccessLog::note_write(p, 2);
}
void __tsan_write4(void* p) {
  AccessLog::note_write(p, 4);
}
void __tsan_write8(void* p) {
  AccessLog::note_write(p, 8);
}
void __tsan_write16(void* p) {
  AccessLog::note_write(p, 16);
}
void __tsan_unaligned_write2(void* p) {
  AccessLog::note_write(p, 2);
}
void __tsan_unaligned_write4(void* p) {
  AccessLog::note_write(p, 4);
}
void __tsan_unaligned_write8(void* p) {
  AccessLog::note_write(p, 8);
}
void __tsan_unaligned_write16(void* p) {
  AccessLog::note_write(p, 16);
}
void __tsan_write_range(void* p, unsigned long bytes) {
  AccessLog::note_write(p, bytes);
}

}  // extern "C"
