// SPDX-License-Identifier: MIT
// How work on the CPU is cut into parts for threads to take: by its size alone, so that results are the same
// bits for any number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ebm::cpu {

/// first .. last, without last.
struct Slice {
  int64_t first, last;
  int64_t size() const { return last - first; }
};

/// `extent` items in `count` parts of the same length, give or take one.
struct Parts {
  int64_t extent, count;
  Slice operator[](int64_t part) const { return {extent * part / count, extent * (part + 1) / count}; }
};

/// Work is measured in elements that a simple formula passes. So many take a thread about 1 us; to have one
/// more thread takes a fifth of that.
inline constexpr int64_t work_of_a_part = 8 * 1024;
inline constexpr int64_t max_parts = 32;

/// Cuts `extent` items that are `work` in all, at least `least_extent` a part. Parts are of exactly the same
/// length where they can be: so arrays of B, 2 B and 3 B rows are cut alike, and a row stays in one core's
/// cache.
inline Parts cut(int64_t extent, int64_t work, int64_t least_extent = 1) {
  const int64_t most =
      std::clamp<int64_t>(std::min(extent / least_extent, work / work_of_a_part), 1, max_parts);
  for (int64_t count = most; 2 * count > most; --count) {
    if (extent % count == 0) return {extent, count};
  }
  return {extent, most};
}

}  // namespace ebm::cpu
