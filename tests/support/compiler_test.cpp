// SPDX-License-Identifier: MIT
// g++ 12.2 with AVX-512 at -O2 and above stores {1, 1, 0, 0} as {1, 1, 1, 1}: constants of 256 or 512 bits
// whose upper half is zero become a broadcast of the lower half. The build's -mmove-max=128 -mstore-max=128
// keeps such stores narrow.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace {

// volatile values are never folded into one wide constant
template <class T>
void expect_half_zero(const T* actual, int n, T value, int filled) {
  volatile T expected_value = value;
  for (int i = 0; i < n; ++i) EXPECT_EQ(actual[i], i < filled ? T(expected_value) : T(0)) << i << " of " << n;
}

template <class T>
[[gnu::noinline]] void store_four(T* out) {
  const T constants[4] = {T(1), T(1), T(0), T(0)};
  std::memcpy(out, constants, sizeof constants);
}
template <class T>
[[gnu::noinline]] void store_eight(T* out) {
  const T constants[8] = {T(1), T(1), T(1), T(1), T(0), T(0), T(0), T(0)};
  std::memcpy(out, constants, sizeof constants);
}
[[gnu::noinline]] std::vector<double> make_vector() {
  return {1, 1, 1, 0};
}

TEST(CompilerTest, ConstantsWhoseUpperHalfIsZeroStaySo) {
  double four[4];
  store_four(four);
  expect_half_zero(four, 4, 1.0, 2);
  double eight[8];
  store_eight(eight);
  expect_half_zero(eight, 8, 1.0, 4);
  float floats[8];
  store_eight(floats);
  expect_half_zero(floats, 8, 1.0f, 4);
  expect_half_zero(make_vector().data(), 4, 1.0, 3);
}

}  // namespace
