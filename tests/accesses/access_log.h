// SPDX-License-Identifier: MIT
// Notes which words of a block of memory instrumented code reads and writes. The instrumentation is that of
// g++ -fsanitize=thread, whose calls (__tsan_read4, ...) go to this log instead of a sanitizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebm::test {

class AccessLog {
 public:
  static constexpr size_t word = 4;  // bytes that are told apart

  /// Of the `bytes` bytes at `memory`. One log lives at a time.
  AccessLog(void* memory, size_t bytes);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// Forgets what was noted and notes from now on, until stop().
  void start();
  void stop() { noting_ = false; }

  struct Touched {
    uintptr_t address;
    bool read;  ///< before it was written
    bool written;
  };
  /// Every word that was read or written since start().
  std::vector<Touched> touched() const;

  /// For the instrumentation.
  static void note_read(const void* address, size_t bytes);
  static void note_write(const void* address, size_t bytes);

 private:
  enum Flag : uint8_t { read = 1, written = 2 };
  template <class Mark>
  void note(const void* address, size_t bytes, Mark mark);

  uintptr_t begin_;
  std::vector<uint8_t> flags_;   // of each word
  std::vector<size_t> touched_;  // words with a flag
  bool noting_ = false;
};

}  // namespace ebm::test
