// SPDX-License-Identifier: MIT
#include "metrics/numpy_random.h"

#include <bit>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"

namespace ebm {

int64_t NumpyRandom::below_or_at(int64_t top) {
  const uint32_t mask = static_cast<uint32_t>(std::bit_ceil(static_cast<uint64_t>(top) + 1) - 1);
  for (;;) {
    const int64_t drawn = static_cast<int64_t>(engine_() & mask);
    if (drawn <= top) return drawn;
  }
}

std::vector<int64_t> NumpyRandom::permutation(int64_t n) {
  if (n < 0 || n > int64_t{1} << 32)
    throw Error("a permutation of " + std::to_string(n) + " numbers: take 0 to 2^32");
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = n - 1; i > 0; --i) {
    std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(below_or_at(i))]);
  }
  return order;
}

}  // namespace ebm
