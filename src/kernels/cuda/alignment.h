// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

namespace ebm::cuda {

/// The alignment in bytes that all three arrays have, at most the 16 that the best kernels need.
inline int64_t common_alignment(const void* a, const void* b, const void* c) {
  constexpr uintptr_t best = 16;
  const auto bits =
      best | reinterpret_cast<uintptr_t>(a) | reinterpret_cast<uintptr_t>(b) | reinterpret_cast<uintptr_t>(c);
  return int64_t{1} << std::countr_zero(bits);
}

}  // namespace ebm::cuda
