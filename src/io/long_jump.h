// SPDX-License-Identifier: MIT
#pragma once
// libpng and libjpeg tell of a failure by a call that must not return.

#include <array>
#include <csetjmp>
#include <cstddef>

namespace ebm {

/// The way out of such a call. An exception would have to pass through C, so it is a jump; what it passes
/// over is C and the `work` given here.
class LongJump {
 public:
  /// Runs `work`; false when it was left by `leave`. Nothing within `work` may need a destructor.
  template <typename Work>
  [[gnu::noinline]] bool completes(const Work& work) {
    if (setjmp(place_) != 0) return false;
    work();
    return true;
  }

  /// To be called within `work` alone.
  [[noreturn]] void leave(const char* reason) {
    size_t i = 0;
    for (; i + 1 < reason_.size() && reason[i] != '\0'; ++i) {
      reason_[i] = static_cast<unsigned char>(reason[i]) < 0x20 ? ' ' : reason[i];
    }
    reason_[i] = '\0';
    std::longjmp(place_, 1);
  }

  /// Why `work` was left.
  [[nodiscard]] const char* reason() const { return reason_.data(); }

 private:
  std::jmp_buf place_{};
  std::array<char, 256> reason_{};
};

}  // namespace ebm
