// SPDX-License-Identifier: MIT
// The orders that numpy.random.RandomState(seed).permutation(n) gives, number for number, so that a score
// taken over shuffled samples or over subsets can be compared with torch-fidelity's of the same features (its
// seed is 2020).
//
// RandomState is MT19937 with the standard's own seeding, that is std::mt19937; a shuffle swaps element i = n
// - 1, ..., 1 with one of 0 ... i, drawn by masking 32 bits and drawing again while the result is above i.
// NEP 19 freezes that stream.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace ebm {

inline constexpr uint32_t fidelity_seed = 2020;

class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : engine_(seed) {}

  /// permutation(n): 0 ... n - 1 in the next order. The first m of it are choice(n, m, replace=False). Throws
  /// Error unless 0 <= n <= 2^32.
  std::vector<int64_t> permutation(int64_t n);

 private:
  int64_t below_or_at(int64_t top);
  std::mt19937 engine_;
};

}  // namespace ebm
