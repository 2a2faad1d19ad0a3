// SPDX-License-Identifier: MIT
// How work on the CPU is cut into parts for threads to take: by its size alone, so that results are the same
// bits for any number of threads.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace ebm::cpu {

/// `extent` items in `count` parts of the same length, give or take one.
struct Parts {
  int64_t extent, count;

  struct Range {
    int64_t first, last;  // last is past the end
  };
  Range operator[](int64_t part) const { return {extent * part / count, extent * (part + 1) / count}; }
};

/// As many parts as have at least `least_extent` items and `least_work` of the work each: a power of two.
inline Parts parts(int64_t extent, int64_t least_extent, int64_t work, int64_t least_work) {
  constexpr int64_t most = 32;
  const int64_t fit = std::clamp<int64_t>(std::min(extent / least_extent, work / least_work), 1, most);
  return {extent, static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(fit)))};
}

/// So many elements of a formula take a thread about 1 us; to share work costs half of that.
inline constexpr int64_t elements_worth_a_thread = 8 * 1024;

}  // namespace ebm::cpu
