// SPDX-License-Identifier: MIT
// exp and tanh of float32 on the CPU against double precision, over all magnitudes, and at their ends.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/formulas/elementary.h"

namespace ebm::test {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr double half_ulp = 0x1p-24;  // of a normal number, relative

TEST(Elementary, ExpIsWithinTwoUnitsOfTheLastPlace) {
  double largest = 0;
  for (float x = -87; x < 88.7f; x += 0.00317f) {
    const double exact = std::exp(static_cast<double>(x));
    largest = std::max(largest, std::abs(static_cast<double>(exp_of(x)) - exact) / exact);
  }
  EXPECT_LT(largest, 4 * half_ulp);
  EXPECT_GT(largest, 0) << "it would be exact";
  EXPECT_EQ(exp_of(0.0f), 1);
  EXPECT_EQ(exp_of(-0.0f), 1);
}

TEST(Elementary, ExpAtItsEnds) {
  EXPECT_EQ(exp_of(infinity), infinity);
  EXPECT_EQ(exp_of(88.8f), infinity);
  EXPECT_LT(exp_of(88.7f), infinity);
  EXPECT_EQ(exp_of(-infinity), 0);
  EXPECT_EQ(exp_of(-105.0f), 0);
  EXPECT_GT(exp_of(-102.0f), 0) << "a number below the normal ones";
  EXPECT_TRUE(std::isnan(exp_of(std::numeric_limits<float>::quiet_NaN())));
}

TEST(Elementary, TanhIsWithinTwoUnitsOfTheLastPlace) {
  double largest = 0;
  for (float size = 1e-30f; size < 30; size *= 1.0007f) {
    for (const float x : {size, -size}) {
      const double exact = std::tanh(static_cast<double>(x));
      largest = std::max(largest, std::abs((static_cast<double>(tanh_of(x)) - exact) / exact));
    }
  }
  EXPECT_LT(largest, 4 * half_ulp);
  EXPECT_EQ(tanh_of(0.0f), 0);
}

TEST(Elementary, TanhAtItsEnds) {
  EXPECT_EQ(tanh_of(infinity), 1);
  EXPECT_EQ(tanh_of(-infinity), -1);
  EXPECT_EQ(tanh_of(50.0f), 1);
  EXPECT_TRUE(std::isnan(tanh_of(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace ebm::test
