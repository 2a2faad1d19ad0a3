// SPDX-License-Identifier: MIT
// Which image a draw is: kernels/formulas/images.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "kernels/formulas/images.h"

namespace ebm::test {
namespace {

TEST(PermutationTest, IsOneForEverySizeAndKey) {
  for (int64_t count = 1; count < 400; count = count < 70 ? count + 1 : count * 3 / 2) {
    for (const uint64_t key : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
      std::set<int64_t> seen;
      for (int64_t i = 0; i < count; ++i) seen.insert(Permutation{key, count}(i));
      EXPECT_EQ(std::ssize(seen), count);
      EXPECT_EQ(*seen.begin(), 0);
      EXPECT_EQ(*seen.rbegin(), count - 1);
    }
  }
  std::vector<bool> seen(50'000);
  for (int64_t i = 0; i < 50'000; ++i) seen[static_cast<size_t>(Permutation{7, 50'000}(i))] = true;
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 50'000);
}

/// The chi-square statistic of counts that should be equal, minus its mean, over its standard deviation.
double deviation(const std::vector<int64_t>& counts) {
  double total = 0, chi = 0;
  for (const int64_t n : counts) total += static_cast<double>(n);
  const double expected = total / static_cast<double>(counts.size());
  for (const int64_t n : counts) chi += std::pow(static_cast<double>(n) - expected, 2) / expected;
  const auto freedom = static_cast<double>(counts.size() - 1);
  return (chi - freedom) / std::sqrt(2 * freedom);
}

TEST(PermutationTest, PutsEachImageAnywhereAndAfterAnyOther) {
  for (const int64_t count : {11, 16, 37}) {
    const auto square = static_cast<size_t>(count * count);
    std::vector<int64_t> places(square), followers(square);  // of image i
    for (uint64_t epoch = 0; epoch < 4000; ++epoch) {
      const ImageOrder order{.seed = 3, .count = count};
      const auto at = [&](int64_t i) {
        return order.image(epoch * static_cast<uint64_t>(count) + static_cast<uint64_t>(i));
      };
      for (int64_t i = 0; i < count; ++i) {
        ++places[static_cast<size_t>(at(i) * count + i)];
        if (i > 0) ++followers[static_cast<size_t>(at(i - 1) * count + at(i))];
      }
    }
    std::vector<int64_t> others;
    for (int64_t a = 0; a < count; ++a) {
      for (int64_t b = 0; b < count; ++b) {
        if (a != b) others.push_back(followers[static_cast<size_t>(a * count + b)]);
      }
    }
    EXPECT_LT(std::abs(deviation(places)), 5) << count;
    EXPECT_LT(std::abs(deviation(others)), 5) << count;
  }
}

}  // namespace
}  // namespace ebm::test
